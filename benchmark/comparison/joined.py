"""A kept table and the outcomes that were measured since, in one summary.

A kept table has scores and intervals, but not always the outcomes by file that they were computed from. Its cells stay
as they are if their model and task are still the same. What spans several tasks is computed again
(:mod:`benchmark.comparison.joined_means`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmark.comparison.comparison import Comparison
from benchmark.comparison.document import Document, DocumentColumn, DocumentRow
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.joined_means import joined_advantages, joined_means, with_hear
from benchmark.comparison.rows import OVERALL, ordered
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
    rows = ordered([replace(row, means=joined_means(row, old_rows.get(row.name), averaged)) for row in rows])
    rows, hear = with_hear(rows, columns)
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
        advantages=joined_advantages(kept, comparison, rows, in_means, valid),
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
