"""Documents of runs' folders."""

from __future__ import annotations

from pathlib import Path

from benchmark.comparison.comparison import compare
from benchmark.comparison.document import Document
from benchmark.comparison.folder import load_run
from benchmark.comparison.summary import summary


def document_of(folder: Path) -> Document:
    return summary(compare(load_run(folder)))
