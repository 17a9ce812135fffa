"""The report as one HTML page: no server, no network."""

from __future__ import annotations

from pathlib import Path

from byola_hear.classification.report import summary
from byola_hear.classification.training import Trained
from byola_hear.utils.files import write_file
from byola_hear.utils.html_file import displayable, html_file, link

#: Classes up to which the page shows the whole confusion; beyond, the list of the most frequent ones says more.
_MAX_MATRIX = 60


def write_report(path: Path, trained: Trained, title: str, precision: float) -> None:
    """Write the page. If anything fails, nothing is written and an existing file stays as it was.

    Args:
        path: the page. It links to the recordings by paths relative to its own place.
        trained: the classifier and its measures.
        title: any text.
        precision: the wished precision.

    Raises:
        OSError: if it can't be written.
    """
    classifier, examples = trained.classifier, trained.examples
    names, counts = summary.confusion(trained)
    data = {
        "notes": list(trained.notes),
        "facts": {
            "examples": len(examples),
            "recordings": len(set(examples.file)),
            "negatives": classifier.about["negatives"],
            "folds": trained.n_folds,
            "method": classifier.method,
            "strength": trained.strength,
            "window": classifier.window,
            "network": classifier.network.label,
            "precision": precision,
        },
        "classes": [vars(line) for line in summary.lines(trained, precision)],
        "names": [displayable(name) for name in names],
        "confusion": counts.tolist() if trained.n_folds and len(names) <= _MAX_MATRIX else None,
        "confused": summary.confused(trained, 20) if trained.n_folds else [],
        "mistakes": [
            {**vars(each), "file": displayable(each.file), "link": link(each.file, path)}
            for each in (summary.mistakes(trained) if trained.n_folds else [])
        ],
    }
    page = html_file("byola_hear.classification.report", displayable(title), data, media="* data:")
    write_file(path, page)
