"""The child process that embeds one task with one model by ``heareval.embeddings.runner``.

``python -m benchmark.evaluation.embed_job ARGUMENTS`` takes heareval's arguments. :mod:`benchmark.evaluation.cell`
starts it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmark.evaluation.child import end_with_parent, run_main


def remove_single_embeddings(embeddings: Path) -> None:
    """Remove the embeddings of single clips, which heareval keeps in addition to the array of all."""
    for done in embeddings.glob("*/*/.done.embeddings"):
        metadata = json.loads((done.parent / "task_metadata.json").read_text(encoding="utf-8"))
        for split in metadata["splits"]:
            shutil.rmtree(done.parent / split, ignore_errors=True)


def main(arguments: list[str]) -> None:
    """Run heareval's command; ``--embeddings-dir`` must be among its arguments."""
    end_with_parent()
    run_main("heareval.embeddings.runner", arguments)
    remove_single_embeddings(Path(arguments[arguments.index("--embeddings-dir") + 1]))


if __name__ == "__main__":
    main(sys.argv[1:])
