"""HEAR's published leaderboard, for the tasks that are HEAR's own."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmark.tasks.hear.table import HEAR_TASKS

#: Where the leaderboard is kept.
LEADERBOARD = Path(__file__).parents[1] / "published" / "hear_leaderboard.csv"
#: Where it comes from.
SOURCE = "hearbenchmark.com/hear-leaderboard.html"

#: Columns of the leaderboard that are no task.
_NOT_TASKS = ("Model", "URL", "Submission Date")


def leaderboard_task(name: str) -> str | None:
    """The leaderboard's column of a task; None if the task is not HEAR's own, whatever it is made of.

    Of a column that is made of several tasks, such as the beehives' two folds, no task is the same.

    Example:
        >>> leaderboard_task("esc50-v2.0.0-full"), leaderboard_task("esc50")
        ('ESC-50', None)
    """
    task = HEAR_TASKS.get(name)
    if task is None or sum(other.column == task.column for other in HEAR_TASKS.values()) > 1:
        return None
    return task.column


def published(tasks: Iterable[str], path: Path = LEADERBOARD) -> list[dict[str, Any]]:
    """What the leaderboard tells about tasks.

    Args:
        tasks: names of tasks, whoever's.
        path: the leaderboard.

    Returns:
        For each model with any of them, in the leaderboard's order: its ``name``, ``url``, ``date`` and ``scores``
        (fractions by our task's name). Empty if none of the tasks is HEAR's own.

    Raises:
        ValueError: if the leaderboard lacks a column that it should have.
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
            {
                "name": row["Model"],
                "url": row["URL"],
                "date": row["Submission Date"],
                "scores": {task: float(row[column]) for task, column in columns.items() if row[column]},
            }
            for row in reader
        ]
    return [row for row in rows if row["scores"]]
