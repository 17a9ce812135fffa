"""What spans several tasks of a kept table and new outcomes: means, HEAR's average and advantages.

Tasks have different files, so the variances of their scores and differences add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmark.comparison.advantage import CONTRASTS, Advantage, assembled, corrected, differences, sides, weights
from benchmark.comparison.averages import compared, hear_average
from benchmark.comparison.comparison import Comparison
from benchmark.comparison.document import Compared, Document, DocumentCell, DocumentColumn, DocumentRow
from benchmark.comparison.rows import Mean


def _half(cell: DocumentCell) -> float | None:
    """Half the interval over the tested files; None for one over folds, of which no mean has an interval."""
    return None if cell.low is None or cell.high is None or cell.interval == "folds" else (cell.high - cell.low) / 2


def _limits(value: float, halves: Sequence[float | None], of: Sequence[float]) -> tuple[float | None, float | None]:
    """The interval of a weighted sum of independent values; none if one of them has none."""
    known = [half for half in halves if half is not None]
    if len(known) < len(halves):
        return None, None
    half = math.sqrt(sum((weight * each) ** 2 for weight, each in zip(of, known)))
    return value - half, value + half


def joined_means(row: DocumentRow, old: DocumentRow | None, in_means: Mapping[str, Sequence[str]]) -> dict[str, Mean]:
    """Means over the tasks, if the row has all of them; one that the kept table has of the same cells stays."""
    means = {}
    for group, names in in_means.items():
        if not names or any(name not in row.cells for name in names):
            continue
        cells = [row.cells[name] for name in names]
        value = float(np.mean([cell.gain for cell in cells]))
        earlier = old.means.get(group) if old else None
        same = old is not None and all(row.cells[name] == old.cells.get(name) for name in names)
        if earlier is not None and same and math.isclose(earlier.value, value, abs_tol=1e-9):
            means[group] = earlier
        else:
            means[group] = Mean(value, *_limits(value, [_half(cell) for cell in cells], [1 / len(cells)] * len(cells)))
    return means


def with_hear(rows: Sequence[DocumentRow], columns: Sequence[DocumentColumn]) -> tuple[list[DocumentRow], Compared]:
    """The rows with HEAR's average, and what it is computed from."""
    has = np.array([[column.name in row.cells for column in columns] for row in rows], bool)
    of_rows, of_tasks = compared(has.reshape(len(rows), len(columns)))
    tasks = [column.name for column, chosen in zip(columns, of_tasks) if chosen]
    kept = [row for row, chosen in zip(rows, of_rows) if chosen]
    if len(kept) < 2 or not tasks:
        return [replace(row, hear=None) for row in rows], Compared([], [])
    values = hear_average(np.array([[row.cells[task].gain for task in tasks] for row in kept]))
    found = {row.name: Mean(float(value), None, None) for row, value in zip(kept, values)}
    return [replace(row, hear=found.get(row.name)) for row in rows], Compared([row.name for row in kept], tasks)


def joined_advantages(
    kept: Document,
    comparison: Comparison,
    rows: Sequence[DocumentRow],
    in_means: Mapping[str, Sequence[str]],
    valid: set[tuple[str, str]],
) -> list[Advantage]:
    """The advantages over all tasks; differences by task are kept or new, as the cells are."""
    old = {(each.network, each.reference): each.differences for each in kept.advantages}
    order = [name for row in rows for name in row.cells]
    found = []
    for network, reference, domain in CONTRASTS:
        by_task = {
            each.task: each
            for each in old.get((network, reference), [])
            if {(network, each.task), (reference, each.task)} <= valid
        }
        by_task |= {each.task: each for each in differences(comparison, network, reference)}
        both = corrected([by_task[name] for name in dict.fromkeys(order) if name in by_task])
        inside, outside = ([name for name in in_means.get(side, []) if name in by_task] for side in sides(domain))
        if inside and outside:
            names = [*inside, *outside]
            of = weights(len(inside), len(outside)).tolist()
            value = sum(weight * by_task[name].value for weight, name in zip(of, names))
            limits = _limits(value, [by_task[name].half for name in names], of)
            found.append(assembled((network, reference, domain), both, inside, outside, limits, kept.seed))
    return found
