"""A run's log: one CSV row every few steps, for people, plots and cards."""

from __future__ import annotations

import csv
import os
from pathlib import Path

LOG_FILE = "log.csv"
COLUMNS = ("step", "crops", "seconds", "loss", "spread", "learning_rate", "ema_decay", "crops_per_second")


class RunLog:
    """Appends rows to a run's log.

    Args:
        folder: of the run.
        first_step: rows at or after this step, left by an interrupted run, are dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / LOG_FILE
        rows = [row for row in read_log(self.path) if row["step"] <= first_step] if self.path.exists() else []
        temporary = folder / f"{LOG_FILE}.partial"
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([f"{row[name]:.6g}" for name in COLUMNS] for row in rows)
        os.replace(temporary, self.path)

    def write(self, **values: float) -> None:
        """Append a row; every column must be given."""
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow([f"{values[name]:.6g}" for name in COLUMNS])


def read_log(path: Path) -> list[dict[str, float]]:
    """A run's log, a dictionary a row.

    Args:
        path: ``log.csv`` in the run's folder, or where it was copied to.

    Raises:
        FileNotFoundError: if there is none.
    """
    with open(path, newline="", encoding="utf-8") as file:
        # A row without its end is one that was being written when the run was killed.
        whole = [row for row in csv.DictReader(file) if None not in row.values()]
    return [{name: float(row[name]) for name in COLUMNS} for row in whole]
