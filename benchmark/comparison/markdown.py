"""A comparison's summary in Markdown, and its means for the terminal."""

from __future__ import annotations

from benchmark.comparison.below_table import below_table
from benchmark.comparison.caption import caption
from benchmark.comparison.cells import cell_texts, header, layout
from benchmark.comparison.document import Document, DocumentRow
from benchmark.comparison.findings import sentences
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.rows import OVERALL, SHORT_ROWS
from benchmark.comparison.text import escaped
from benchmark.reporting.markdown import NOTHING, markdown
from byola_hear.cli.terminal import aligned

#: Rows of the short table besides the networks.
SHORT_OTHERS = 2


def markdown_tables(document: Document) -> str:
    """Write all tables in Markdown, from a summary alone.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        Markdown with a line break at its end.
    """
    lines = [[escaped(row.name), *_cells(document, row)] for row in document.rows]
    found = " ".join(sentences(document))
    parts = [found and f"{found}\n", markdown(header(document), lines), "\n\n".join(caption(document)) + "\n"]
    return "\n".join(part for part in [*parts, *below_table(document)] if part)


def short_markdown(document: Document, full: str) -> str:
    """The means of a few rows and the first finding, for a README: networks, what has to be beaten, the best others.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.
        full: link to the full tables.

    Returns:
        Markdown with a line break at its end.
    """
    names = [name for kind, name in layout(document) if kind == "mean"]
    counts = {name: len(document.in_means[name]) for name in names}
    titles = [f"{'all' if name == OVERALL else DOMAINS[name]} ({counts[name]} tasks)" for name in names]
    lines = []
    for row in _short_rows(document):
        texts = cell_texts(document, row)
        best = [row.name in document.best.get(name, []) for name in names]
        lines.append(
            [f"`{row.name}`", *(f"**{texts[name]}**" if first else texts[name] for name, first in zip(names, best))]
        )
    if not lines:
        return f"No model has all tasks of a mean yet. All scores: {full}.\n"
    origin = f"Mean scores of HEAR's own probes, %, ± half the 95 % interval over the tested files. All models: {full}."
    parts = [*sentences(document)[:1], markdown(["trained on, or model", *titles], lines), origin]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _short_rows(document: Document) -> list[DocumentRow]:
    """The convolutional networks, then the best :data:`SHORT_OTHERS` other rows by their mean over all tasks."""
    measured = [row for row in document.rows if OVERALL in row.means]
    others = [row for row in measured if row.name not in SHORT_ROWS]
    others.sort(key=lambda row: -row.means[OVERALL].value)
    return [row for row in measured if row.name in SHORT_ROWS] + others[:SHORT_OTHERS]


def terminal_table(document: Document) -> str:
    """The means and HEAR's average as aligned text. There are too many tasks for a terminal."""
    names = [name for kind, name in layout(document) if kind != "task"]
    titles = {OVERALL: "mean of all", "hear": "HEAR average"}
    titles.update({domain: f"{title} mean" for domain, title in DOMAINS.items()})
    lines = []
    for row in document.rows:
        texts = cell_texts(document, row)
        lines.append([row.name, str(len(row.cells)), *(texts[name] for name in names)])
    return aligned(["model", "tasks", *(titles[name] for name in names)], lines)


def _cells(document: Document, row: DocumentRow) -> list[str]:
    """A row's cells, the best of each column in bold."""
    cells = []
    for (_, name), text in zip(layout(document), cell_texts(document, row).values()):
        cell = row.cells.get(name)
        text += "ᶠ" if cell and cell.interval == "folds" and "±" in text else ""
        cells.append(f"**{text}**" if text != NOTHING and row.name in document.best.get(name, []) else text)
    return cells
