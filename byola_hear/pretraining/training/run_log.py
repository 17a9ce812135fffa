"""A run's log: one CSV row every few steps, for people, plots and cards."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from byola_hear.utils.files import replacing

LOG_FILE = "log.csv"
COUNTS = ("step", "crops")
COLUMNS = (*COUNTS, "seconds", "loss", "spread", "learning_rate", "ema_decay", "crops_per_second")


class RunLog:
    """Appends rows to a run's log.

    Args:
        folder: of the run.
        first_step: rows after this step, left by an interrupted run, are dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / LOG_FILE
        rows = read_log(self.path, first_step) if self.path.exists() else []
        with replacing(self.path) as file:
            file.write(log_text(rows).encode())

    def write(self, **values: float) -> None:
        """Append a row; every column must be given."""
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            file.write(_line(values))


def log_text(rows: Iterable[Mapping[str, float]]) -> str:
    """Rows as the text of a log."""
    return ",".join(COLUMNS) + "\n" + "".join(map(_line, rows))


def _line(row: Mapping[str, float]) -> str:
    """One row: counts whole, the rest with six digits."""
    return ",".join(f"{row[name]:.0f}" if name in COUNTS else f"{row[name]:.6g}" for name in COLUMNS) + "\n"


def read_log(path: Path, last_step: float = math.inf) -> list[dict[str, float]]:
    """A run's log, a dictionary a row.

    Args:
        path: ``log.csv`` in the run's folder, or where it was copied to.
        last_step: rows after this step are left out.

    Raises:
        FileNotFoundError: if there is none.
    """
    text = path.read_text(encoding="utf-8")
    # A row without its end is one that was being written when the run was killed.
    whole = text[: text.rfind("\n") + 1].splitlines()
    rows = [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(whole)]
    return [row for row in rows if row["step"] <= last_step]
