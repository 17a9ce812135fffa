"""The log of a run: a CSV file with one row every few steps, read by plots and cards."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from byola_hear.utils.files import naming, write_file

LOG_FILE = "log.csv"
#: The column ``spread`` is the standard deviation of embeddings, see ``byol.networks.embedding_std``.
COUNTS = ("step", "crops")
COLUMNS = (*COUNTS, "seconds", "loss", "spread", "learning_rate", "ema_decay", "crops_per_second")


class RunLog:
    """Appends rows to the log of a run.

    Args:
        folder: folder of the run.
        first_step: step at which the run begins. Later rows, which an interrupted run left, are dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / LOG_FILE
        rows = read_log(self.path, first_step) if self.path.exists() else []
        write_file(self.path, log_text(rows))

    def write(self, **values: float) -> None:
        """Append a row, given a value for every column."""
        with naming(self.path), open(self.path, "a", newline="", encoding="utf-8") as file:
            file.write(_line(values))


def log_text(rows: Iterable[Mapping[str, float]]) -> str:
    """Format rows as the text of a log."""
    return ",".join(COLUMNS) + "\n" + "".join(map(_line, rows))


def _line(row: Mapping[str, float]) -> str:
    """Format a row: counts as integers, other values with six digits."""
    return ",".join(f"{row[name]:.0f}" if name in COUNTS else f"{row[name]:.6g}" for name in COLUMNS) + "\n"


def read_log(path: Path, last_step: float = math.inf) -> list[dict[str, float]]:
    """Read a log, whole rows only.

    Args:
        path: the file ``log.csv`` in the run's folder, or a copy.
        last_step: rows after this step are left out.

    Returns:
        One dictionary per row.

    Raises:
        FileNotFoundError: if there is no log.
        ValueError: if the file is not the log of a run.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # A run that is killed while it writes leaves half a row.
        whole = text[: text.rfind("\n") + 1].splitlines()
        rows = [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(whole)]
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ValueError(f"{path}: expected the log of a run, with the columns {','.join(COLUMNS)} ({error})") from None
    return [row for row in rows if row["step"] <= last_step]
