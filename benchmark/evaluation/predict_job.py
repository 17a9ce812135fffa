"""The child process that trains and tests heareval's probes on the embeddings of one task, and reads their predictions.

``python -m benchmark.evaluation.predict_job JOB`` takes a JSON file that :mod:`benchmark.evaluation.cell` wrote. The
process runs ``heareval.predictions.runner`` and reads the pickles that it has just written; it reads no others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmark.comparison.outcome import save_outcome
from benchmark.evaluation.child import end_with_parent, run_main
from benchmark.evaluation.reading import read_outcome


def main(job: Path) -> None:
    """Run heareval's command in the current folder and write the outcome.

    Args:
        job: JSON file with ``arguments`` (heareval's), ``standardise`` (whether embeddings are standardised),
            ``folder`` (the task's), ``about`` (see :func:`read_outcome`) and ``outcome`` (the path to write to).
    """
    end_with_parent()
    given = json.loads(job.read_text(encoding="utf-8"))
    if given["standardise"]:
        # Imported only here, because it takes seconds with torch.
        from benchmark.evaluation.standardised import standardise_heareval

        standardise_heareval()
    run_main("heareval.predictions.runner", given["arguments"])
    save_outcome(Path(given["outcome"]), read_outcome(Path(given["folder"]), given["about"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
