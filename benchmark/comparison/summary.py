"""The comparison as one JSON document, from which the tables and the page are made."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from benchmark.comparison.advantage import Advantage, advantages
from benchmark.comparison.comparison import OVERALL, Comparison, Mean, Row, TaskScore, counted
from benchmark.comparison.folder import Column
from benchmark.comparison.published import SOURCE, published


def summary(comparison: Comparison) -> dict[str, Any]:
    """Everything that the tables show, as JSON values; nan is null.

    Args:
        comparison: the table.

    Returns:
        ``suite``, ``seed``, ``about``, ``settings``, ``notes``, ``groups``, ``columns``, ``rows``, ``best`` (names of
        the best rows by task, domain, overall and hear), ``hear`` (rows and tasks of HEAR's average), ``advantages``
        and ``published``.
    """
    document = {
        "suite": comparison.suite,
        "seed": comparison.seed,
        "about": comparison.about,
        "settings": comparison.settings,
        "notes": comparison.notes,
        "groups": comparison.groups,
        "columns": [_column(column) for column in comparison.columns],
        "rows": [_row(row) for row in comparison.rows],
        "best": _best(comparison),
        "in_means": {
            group: [column.name for column in counted(comparison.columns, group)]
            for group in (*comparison.groups, OVERALL)
        },
        "hear": {"rows": comparison.hear_rows, "tasks": comparison.hear_tasks},
        "advantages": [_advantage(each) for each in advantages(comparison)],
        "published": {
            "source": SOURCE,
            "rows": published(column.name for column in comparison.columns),
        },
    }
    cleaned: dict[str, Any] = _plain(document)
    return cleaned


def _column(column: Column) -> dict[str, Any]:
    metric = column.metric
    return {
        "name": column.name,
        "title": column.title,
        "domain": column.domain,
        "description": column.description,
        "sha256": column.sha256,
        "metric": metric.name if metric else "",
        "metric_title": metric.title if metric else "",
        "fraction": metric.fraction if metric else True,
        "lower_is_better": metric.lower_is_better if metric else False,
        "files": len(column.files),
        "folds": len(column.folds),
        "own_settings": column.own_settings,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "note": row.note,
        "status": row.status,
        "reason": row.reason,
        "identity": row.identity,
        "cells": {name: _cell(cell) for name, cell in row.cells.items()},
        "missing": row.missing,
        "means": {name: asdict(mean) for name, mean in row.means.items()},
        "hear": asdict(row.hear) if row.hear else None,
    }


def _cell(cell: TaskScore) -> dict[str, Any]:
    interval = cell.interval
    return {
        "score": cell.score,
        "gain": cell.gain,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "interval": interval.method if interval else None,
        "spread": cell.spread,
        "folds": cell.folds,
        "others": cell.others,
    }


def _advantage(advantage: Advantage) -> dict[str, Any]:
    return {**vars(advantage), "differences": [asdict(each) for each in advantage.differences]}


def _best(comparison: Comparison) -> dict[str, list[str]]:
    """Names of the best rows by column, after rounding as in the table; several if they are equal."""

    def top(numbers: dict[str, float], digits: int) -> list[str]:
        rounded = {name: round(number, digits) for name, number in numbers.items()}
        return [name for name, number in rounded.items() if number == max(rounded.values())]

    best = {}
    for column in comparison.columns:
        metric = column.metric
        if metric is not None:
            sign = -1 if metric.lower_is_better else 1
            shown = {
                row.name: sign * metric.shown(row.cells[column.name].score)
                for row in comparison.rows
                if column.name in row.cells
            }
            best[column.name] = top(shown, metric.digits)
    for group in (*comparison.groups, OVERALL):
        best[group] = top({row.name: 100 * row.means[group].value for row in comparison.rows if group in row.means}, 1)
    hear: dict[str, Mean] = {row.name: row.hear for row in comparison.rows if row.hear is not None}
    best["hear"] = top({name: mean.value for name, mean in hear.items()}, 2)
    return best


def _plain(value: Any) -> Any:
    """Convert to JSON values: nan and infinity to null, tuples to lists, numpy's numbers to Python's."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
