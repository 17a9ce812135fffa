"""The process that trains and tests heareval's probes on one task's embeddings, and reads what they predicted.

``python -m benchmark.evaluation.predict_job JOB`` takes a JSON file that :mod:`benchmark.evaluation.cell` wrote. The
same process runs ``heareval.predictions.runner`` and reads the pickles that it leaves. No other process's pickle is
ever read.
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
        job: ``{"arguments": heareval's, "folder": the task's, "about": see read_outcome, "outcome": where to}``.
    """
    end_with_parent()
    given = json.loads(job.read_text(encoding="utf-8"))
    run_main("heareval.predictions.runner", given["arguments"])
    save_outcome(Path(given["outcome"]), read_outcome(Path(given["folder"]), given["about"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
