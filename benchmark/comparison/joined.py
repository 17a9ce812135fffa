"""A kept table and the outcomes that were measured since, in one summary.

A kept table has scores and intervals, but not always the outcomes by file that they were computed from. Its cells stay
as they are if their model and task are still the same. What spans several tasks is computed again: the tasks have
different files, so the variances of their scores and differences add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmark.comparison.advantage import (
    CONTRASTS,
    Advantage,
    assembled,
    corrected,
    differences,
    sides,
    weights,
)
from benchmark.comparison.averages import compared, hear_average
from benchmark.comparison.comparison import Comparison
from benchmark.comparison.document import Compared, Document, DocumentCell, DocumentColumn, DocumentRow
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.rows import OVERALL, Mean, ordered
from benchmark.comparison.summary import best_rows, summary

#: Name of the file in a run's folder with the kept table that the run completes.
KEPT = "kept.json"

#: Settings that have to be equal for cells to be comparable.
COMPARED_SETTINGS = ("grid", "grid_points", "standardise")


def valid_cells(kept: Document, tasks: Mapping[str, str], models: Mapping[str, str]) -> set[tuple[str, str]]:
    """Cells of a kept table whose model and task are still the same, as model and task.

    Args:
        kept: the table.
        tasks: hash of the content by task.
        models: identity by model; empty if the model is not available, so that its cells stay.
    """
    same = {column.name for column in kept.columns if column.metric and tasks.get(column.name) == column.sha256}
    return {
        (row.name, task)
        for row in kept.rows
        if row.name in models and models[row.name] in ("", row.identity)
        for task in row.cells
        if task in same
    }


def joined(kept: Document, comparison: Comparison) -> Document:
    """Join a kept table and new outcomes. A new outcome replaces a kept cell.

    Args:
        kept: the table.
        comparison: the new outcomes, with all rows and columns of the joined table.

    Returns:
        The summary, of the new outcomes alone if they have every valid cell of the kept table. Otherwise HEAR's average
        has no interval, which takes the same draws of files for all rows.

    Raises:
        ValueError: if the two were measured with other settings.
    """
    new = summary(comparison)
    if comparison.outcomes:
        _check_settings(kept.settings, new.settings)
    valid = valid_cells(
        kept,
        {column.name: column.sha256 for column in new.columns},
        {row.name: row.identity for row in new.rows},
    )
    if not valid - comparison.outcomes.keys():
        return replace(new, about=_about(kept, new, new.rows, valid))
    taken = {task for _, task in valid}
    old_columns = {column.name: column for column in kept.columns}
    columns = [
        replace(old_columns[column.name], title=column.title, description=column.description)
        if not column.metric and column.name in taken
        else column
        for column in new.columns
    ]
    old_rows = {row.name: row for row in kept.rows}
    rows = [
        _joined_row(row, old_rows.get(row.name), {task for name, task in valid if name == row.name}, columns)
        for row in new.rows
    ]
    in_means = {group: _counted(columns, group) for group in (*_groups(columns), OVERALL)}
    unmeasured = {group for column in columns if not column.metric for group in (column.domain, OVERALL)}
    averaged = {group: names for group, names in in_means.items() if group not in unmeasured}
    rows = ordered([replace(row, means=_means(row, old_rows.get(row.name), averaged)) for row in rows])
    rows, hear = _with_hear(rows, columns)
    there = {f"{column.title}: no model has an outcome." for column in columns if column.metric}
    notes = [
        note
        for note in dict.fromkeys([*kept.notes, *new.notes])
        if note not in there and not any(note.startswith(f"{column.name}: no column") for column in columns)
    ]
    document = replace(
        new,
        about=_about(kept, new, rows, valid),
        settings={**kept.settings} if not comparison.outcomes else _common(kept.settings, new.settings),
        notes=notes,
        columns=columns,
        rows=rows,
        in_means=in_means,
        hear=hear,
        advantages=_advantages(kept, comparison, rows, in_means, valid),
    )
    return Document.from_json(replace(document, best=best_rows(document)).as_json())


def _check_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name in COMPARED_SETTINGS:
        if before.get(name) != after.get(name):
            raise ValueError(
                f"expected outcomes with the settings of the kept table, {name} {before.get(name)}, "
                f"got {after.get(name)}"
            )


def _common(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in before.items() if after.get(name) == value}


def _groups(columns: Iterable[DocumentColumn]) -> list[str]:
    present = {column.domain for column in columns}
    return [domain for domain in DOMAINS if domain in present]


def _counted(columns: Iterable[DocumentColumn], group: str) -> list[str]:
    """Names of the tasks of a mean."""
    return [
        column.name for column in columns if column.metric and column.fraction and group in (column.domain, OVERALL)
    ]


def _joined_row(
    row: DocumentRow, old: DocumentRow | None, taken: set[str], columns: Sequence[DocumentColumn]
) -> DocumentRow:
    """A row of new outcomes with the kept cells of its other tasks."""
    cells = dict(row.cells)
    if old is not None and taken - cells.keys():
        cells = {**{task: old.cells[task] for task in taken}, **cells}
        row = replace(row, note=row.note or old.note, status="ok", reason="", identity=row.identity or old.identity)
    measured = [column.name for column in columns if column.metric]
    return replace(
        row,
        cells={name: cells[name] for name in measured if name in cells},
        missing={name: row.missing.get(name) or row.reason or "not run" for name in measured if name not in cells},
    )


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


def _means(row: DocumentRow, old: DocumentRow | None, in_means: Mapping[str, Sequence[str]]) -> dict[str, Mean]:
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


def _with_hear(rows: Sequence[DocumentRow], columns: Sequence[DocumentColumn]) -> tuple[list[DocumentRow], Compared]:
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


def _advantages(
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


def _about(kept: Document, new: Document, rows: Sequence[DocumentRow], valid: set[tuple[str, str]]) -> dict[str, Any]:
    """The kept table's provenance, and that of every completion with its cells, ``{task: [model, …]}``.

    It is that of the new table if no cell is as it was: of the same model and task, and with the same score.
    """
    before = {row.name: row.cells for row in kept.rows}

    def stays(row: DocumentRow, task: str) -> bool:
        return (row.name, task) in valid and before[row.name][task].score == row.cells[task].score

    if not any(stays(row, task) for row in rows for task in row.cells):
        return dict(new.about)
    cells: dict[str, list[str]] = {}
    for row in new.rows:
        for task in row.cells:
            if not stays(row, task):
                cells.setdefault(task, []).append(row.name)
    completed = list(kept.about.get("completed", []))
    if cells:
        completed.append({"provenance": new.about.get("provenance", {}), "cells": cells})
    return {**kept.about, "completed": completed} if completed else dict(kept.about)
