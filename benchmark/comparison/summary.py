"""From a comparison to its document."""

from __future__ import annotations

from dataclasses import replace

from benchmark.comparison.advantage import advantages
from benchmark.comparison.comparison import Comparison, counted
from benchmark.comparison.document import Compared, Document, DocumentCell, DocumentColumn, DocumentRow, Published
from benchmark.comparison.folder import Column
from benchmark.comparison.published import SOURCE, published
from benchmark.comparison.rows import OVERALL, Mean, Row, TaskScore


def summary(comparison: Comparison) -> Document:
    """Everything that the tables show, with the values that its JSON has: nan is None.

    Args:
        comparison: the table.
    """
    document = Document(
        suite=comparison.suite,
        seed=comparison.seed,
        about=comparison.about,
        settings=comparison.settings,
        notes=comparison.notes,
        groups=comparison.groups,
        columns=[_column(column) for column in comparison.columns],
        rows=[_row(row) for row in comparison.rows],
        best={},
        in_means={
            group: [column.name for column in counted(comparison.columns, group)]
            for group in (*comparison.groups, OVERALL)
        },
        hear=Compared(comparison.hear_rows, comparison.hear_tasks),
        advantages=advantages(comparison),
        published=Published(SOURCE, published(column.name for column in comparison.columns)),
    )
    return Document.from_json(replace(document, best=best_rows(document)).as_json())


def _column(column: Column) -> DocumentColumn:
    metric = column.metric
    return DocumentColumn(
        name=column.name,
        title=column.title,
        domain=column.domain,
        description=column.description,
        sha256=column.sha256,
        metric=metric.name if metric else "",
        metric_title=metric.title if metric else "",
        fraction=metric.fraction if metric else True,
        lower_is_better=metric.lower_is_better if metric else False,
        files=len(column.files),
        folds=len(column.folds),
        own_settings=column.own_settings,
    )


def _row(row: Row) -> DocumentRow:
    return DocumentRow(**{**vars(row), "cells": {name: _cell(cell) for name, cell in row.cells.items()}})


def _cell(cell: TaskScore) -> DocumentCell:
    interval = cell.interval
    return DocumentCell(
        score=cell.score,
        gain=cell.gain,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.method if interval else None,
        spread=cell.spread,
        folds=dict(cell.folds),
        others=dict(cell.others),
    )


def best_rows(document: Document) -> dict[str, list[str]]:
    """Names of the best rows by column, after rounding as in the table; several if they are equal."""

    def top(numbers: dict[str, float], digits: int) -> list[str]:
        rounded = {name: round(number, digits) for name, number in numbers.items()}
        return [name for name, number in rounded.items() if number == max(rounded.values())]

    best = {}
    for column in document.columns:
        if column.metric:
            metric = column.shown_as
            sign = -1 if metric.lower_is_better else 1
            shown = {
                row.name: sign * metric.shown(row.cells[column.name].score)
                for row in document.rows
                if column.name in row.cells
            }
            best[column.name] = top(shown, metric.digits)
    for group in (*document.groups, OVERALL):
        best[group] = top({row.name: 100 * row.means[group].value for row in document.rows if group in row.means}, 1)
    hear: dict[str, Mean] = {row.name: row.hear for row in document.rows if row.hear is not None}
    best["hear"] = top({name: mean.value for name, mean in hear.items()}, 2)
    return best
