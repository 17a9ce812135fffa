"""Tables of HEAR's own probes that were measured both ways: of embeddings as they are, and of standardised ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.comparison.document import Document, DocumentCell, DocumentColumn, DocumentRow, read_document
from benchmark.studies.scales.changes import CHANGE, COLUMNS, KINDS, MEAN
from benchmark.tasks.registry import SUITES

#: Settings that the two tables have to share.
SHARED_SETTINGS = ("grid", "grid_points", "heareval")


@dataclass(frozen=True)
class Twin:
    """A table and its twin.

    Attributes:
        suite: name of the suite.
        summary: scores of the tasks and models that both tables have, in %, higher is better; columns of
            :func:`benchmark.studies.scales.changes.summarised`. A model without all of these tasks has no mean.
        titles: headings of the tasks.
    """

    suite: str
    summary: pd.DataFrame
    titles: dict[str, str]


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
            lines = list(_lines(before, after))
            if lines:
                titles = {column.name: column.title for column in after.columns}
                found.append(Twin(suite, pd.DataFrame(lines, columns=COLUMNS), titles))
    return found


def _lines(before: Document, after: Document) -> Iterator[tuple[str, str, str, float, float, float]]:
    """Lines of a twin's summary."""
    contents = {column.name: column.sha256 for column in before.columns}
    columns = [column for column in after.columns if column.fraction and contents.get(column.name) == column.sha256]
    pairs = [(old, new) for new in after.rows for old in before.rows if _same(old, new)]
    columns = [column for column in columns if any(_both(pair, column) for pair in pairs)]
    for old, new in pairs:
        of_kind: list[list[tuple[float, float]]] = []
        mine = [column.name for column in columns if _both((old, new), column)]
        for kind, row in zip(KINDS, (old, new)):
            scores = [_gain(row.cells[name]) for name in mine]
            if len(mine) == len(columns):
                value = float(np.mean([each for each, _ in scores]))
                scores.append((value, math.hypot(*(half for _, half in scores)) / len(scores)))
            of_kind.append(scores)
            yield from _of(new.name, mine, kind, scores)
        differences = [(b[0] - a[0], math.hypot(a[1], b[1])) for a, b in zip(*of_kind)]
        yield from _of(new.name, mine, CHANGE, differences)


def _of(
    model: str, tasks: list[str], kind: str, scores: list[tuple[float, float]]
) -> Iterator[tuple[str, str, str, float, float, float]]:
    for task, (value, half) in zip((*tasks, MEAN), scores):
        yield model, task, kind, value, value - half, value + half


def _gain(cell: DocumentCell) -> tuple[float, float]:
    """A score and half its interval, in %, higher is better; the interval is 0 if there is none."""
    half = 0.0 if cell.low is None or cell.high is None else (cell.high - cell.low) / 2
    return 100 * cell.gain, 100 * half


def _same(old: DocumentRow, new: DocumentRow) -> bool:
    """Whether two rows are of the same model with the same embeddings, and both have scores."""
    return bool(old.name == new.name and old.identity == new.identity and old.cells and new.cells)


def _both(pair: tuple[DocumentRow, DocumentRow], column: DocumentColumn) -> bool:
    return all(column.name in row.cells for row in pair)
