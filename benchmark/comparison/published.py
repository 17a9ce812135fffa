"""HEAR's published leaderboard, for HEAR's own tasks."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmark.tasks.hear.table import HEAR_TASKS

#: The leaderboard as a file.
LEADERBOARD = Path(__file__).parents[1] / "published" / "hear_leaderboard.csv"
#: Its origin.
SOURCE = "hearbenchmark.com/hear-leaderboard.html"

#: Columns of the leaderboard that are not tasks.
_NOT_TASKS = ("Model", "URL", "Submission Date")


@dataclass(frozen=True)
class PublishedRow:
    """A model of the leaderboard: its name, address and date there, and its scores (fractions) by task."""

    name: str
    url: str
    date: str
    scores: dict[str, float]


def leaderboard_task(name: str) -> str | None:
    """The leaderboard's column of a task; None if the task is not one of HEAR's.

    A column that covers several tasks, such as the two folds of the beehives, belongs to none of them.

    Example:
        >>> leaderboard_task("esc50-v2.0.0-full"), leaderboard_task("esc50")
        ('ESC-50', None)
    """
    task = HEAR_TASKS.get(name)
    if task is None or sum(other.column == task.column for other in HEAR_TASKS.values()) > 1:
        return None
    return task.column


def published(tasks: Iterable[str], path: Path = LEADERBOARD) -> list[PublishedRow]:
    """Read the leaderboard's scores of tasks.

    Args:
        tasks: names of tasks.
        path: the leaderboard.

    Returns:
        The models with scores, in the leaderboard's order; empty if no task is one of HEAR's.

    Raises:
        ValueError: if the leaderboard lacks a column.
    """
    columns = {task: column for task in tasks if (column := leaderboard_task(task)) is not None}
    if not columns:
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        names = reader.fieldnames or []
        lacking = [name for name in (*_NOT_TASKS, *columns.values()) if name not in names]
        if lacking:
            raise ValueError(f"{path}: expected the columns {', '.join(lacking)}, got {', '.join(names) or 'none'}")
        rows = [
            PublishedRow(
                name=row["Model"],
                url=row["URL"],
                date=row["Submission Date"],
                scores={task: float(row[column]) for task, column in columns.items() if row[column]},
            )
            for row in reader
        ]
    return [row for row in rows if row.scores]
