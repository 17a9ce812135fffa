"""Tables of HEAR's own probes that were measured both ways: of embeddings as they are, and of standardised ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.comparison.averages import compared
from benchmark.comparison.document import Document, DocumentCell, DocumentColumn, DocumentRow, read_document
from benchmark.studies.scales.changes import CHANGE, COLUMNS, KINDS, MEAN
from benchmark.tasks.registry import SUITES

#: A line of a summary.
Line = tuple[str, str, str, float, float, float]
#: Settings that the two tables have to share.
SHARED_SETTINGS = ("grid", "grid_points", "heareval")


@dataclass(frozen=True)
class Twin:
    """A table and its twin.

    Attributes:
        suite: name of the suite.
        summary: scores of the tasks and models that both tables have, in %, higher is better; columns of
            :func:`benchmark.studies.scales.changes.summarised`.
        in_mean: titles of the tasks of the mean: those that all models have that have at least half of the tasks. The
            other models have no mean.
        titles: headings of the tasks.
        machines: on which machines the two were measured, in order.
    """

    suite: str
    summary: pd.DataFrame
    in_mean: list[str]
    titles: dict[str, str]
    machines: tuple[str, str]


def twins(folder: Path) -> list[Twin]:
    """The tables in a folder that have a twin of the same suite.

    Raises:
        ValueError: if the two were measured with other settings.
    """
    found = []
    for suite in (*SUITES, "tasks"):
        paths = [folder / f"{suite}{suffix}.json" for suffix in ("", "_standardised")]
        if all(path.is_file() for path in paths):
            before, after = map(read_document, paths)
            for name in SHARED_SETTINGS:
                if before.settings.get(name) != after.settings.get(name):
                    raise ValueError(
                        f"{paths[1]}: expected {name} {before.settings.get(name)}, as in {paths[0].name}, "
                        f"got {after.settings.get(name)}"
                    )
            twin = _twin(suite, before, after)
            if twin is not None:
                found.append(twin)
    return found


def _twin(suite: str, before: Document, after: Document) -> Twin | None:
    """A table and its twin; None if no model is in both."""
    contents = {column.name: column.sha256 for column in before.columns}
    columns = [column for column in after.columns if column.fraction and contents.get(column.name) == column.sha256]
    pairs = [(old, new) for new in after.rows for old in before.rows if _same(old, new)]
    if not pairs or not columns:
        return None
    has = np.array([[_both(pair, column) for column in columns] for pair in pairs], bool)
    of_rows, of_tasks = compared(has)
    lines: list[Line] = []
    for pair, with_mean in zip(pairs, of_rows):
        mine = [column.name for column in columns if _both(pair, column)]
        averaged = [column.name for column, counts in zip(columns, of_tasks) if counts] if with_mean else []
        lines += _lines(pair, mine, averaged)
    titles = {column.name: column.title for column in after.columns}
    in_mean = [column.title for column, counts in zip(columns, of_tasks) if counts]
    first, second = (str(each.about.get("provenance", {}).get("hardware", "")) for each in (before, after))
    return Twin(suite, pd.DataFrame(lines, columns=COLUMNS), in_mean, titles, (first, second))


def _lines(pair: tuple[DocumentRow, DocumentRow], tasks: list[str], averaged: list[str]) -> Iterator[Line]:
    """A model's lines of a summary; the mean is that of the averaged tasks, if there are any."""
    scores = [{task: _gain(row.cells[task]) for task in tasks} for row in pair]
    for each in scores:
        if averaged:
            values = [each[task] for task in averaged]
            half = math.hypot(*(half for _, half in values)) / len(values)
            each[MEAN] = (float(np.mean([value for value, _ in values])), half)
    old, new = scores
    change = {task: (new[task][0] - value, math.hypot(half, new[task][1])) for task, (value, half) in old.items()}
    for kind, each in zip((*KINDS, CHANGE), (old, new, change)):
        for task, (value, half) in each.items():
            yield pair[1].name, task, kind, value, value - half, value + half


def _gain(cell: DocumentCell) -> tuple[float, float]:
    """A score and half its interval, in %, higher is better; the interval is 0 if there is none."""
    half = 0.0 if cell.low is None or cell.high is None else (cell.high - cell.low) / 2
    return 100 * cell.gain, 100 * half


def _same(old: DocumentRow, new: DocumentRow) -> bool:
    """Whether two rows are of the same model with the same embeddings, and both have scores."""
    return bool(old.name == new.name and old.identity == new.identity and old.cells and new.cells)


def _both(pair: tuple[DocumentRow, DocumentRow], column: DocumentColumn) -> bool:
    return all(column.name in row.cells for row in pair)
