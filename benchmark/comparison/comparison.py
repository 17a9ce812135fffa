"""The comparison: every score, mean and interval of the table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.comparison.averages import compared, hear_average
from benchmark.comparison.folder import DOMAINS, Column, Run
from benchmark.comparison.intervals import RESAMPLES, basic_bootstrap_limits, percentiles
from benchmark.comparison.outcome import Outcome
from benchmark.comparison.rows import OVERALL, Mean, Row, ordered
from benchmark.comparison.scores import task_scores


@dataclass
class Comparison:
    """The whole table.

    Attributes:
        suite: name of the suite.
        columns: the tasks, grouped by domain.
        rows: the models, in the table's order.
        hear_tasks: names of the tasks in HEAR's average.
        hear_rows: names of the rows that it compares.
        outcomes: by model and task.
        notes: notes for the reader, a sentence each.
        about: provenance.
        seed: seed of everything random.
        settings: settings of the probes that are the same for all models.
    """

    suite: str
    columns: list[Column]
    rows: list[Row]
    hear_tasks: list[str]
    hear_rows: list[str]
    outcomes: dict[tuple[str, str], Outcome]
    notes: list[str]
    about: dict[str, Any]
    seed: int
    settings: dict[str, Any]

    def column(self, name: str) -> Column:
        """A task by its name."""
        return next(column for column in self.columns if column.name == name)

    def row(self, name: str) -> Row | None:
        """A row by its name; None if it does not exist or has no scores."""
        return next((row for row in self.rows if row.name == name and row.cells), None)

    @property
    def groups(self) -> list[str]:
        """The domains that have tasks, in order."""
        return [domain for domain in DOMAINS if any(column.domain == domain for column in self.columns)]


def compare(run: Run, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Make the comparison.

    Args:
        run: the run.
        seed: seed of the bootstrap.
        resamples: number of bootstrap samples.

    Returns:
        The comparison.
    """
    rows = {model.name: Row(model.name, model.note, model.status, model.reason, model.identity) for model in run.models}
    notes = list(run.notes)
    for column in run.columns:
        if column.metric is None:
            notes.append(f"{column.title}: no model has an outcome.")
            continue
        for name, cell in task_scores(run, column, seed, resamples, notes).items():
            rows[name].cells[column.name] = cell
        for name, row in rows.items():
            if column.name not in row.cells:
                row.missing[column.name] = run.missing.get((name, column.name), row.reason or "not run")
    for row in rows.values():
        row.means = _means(row, run.columns)
    hear_rows, hear_tasks = _hear(list(rows.values()), run.columns)
    return Comparison(
        suite=run.suite,
        columns=run.columns,
        rows=ordered(list(rows.values())),
        hear_tasks=hear_tasks,
        hear_rows=hear_rows,
        outcomes=run.outcomes,
        notes=notes,
        about=run.about,
        seed=seed,
        settings=_settings(run),
    )


def counted(columns: list[Column], domain: str) -> list[Column]:
    """The tasks of a mean: those of a domain, or all, whose score is on a scale from 0 to 1.

    Args:
        columns: the tasks.
        domain: a domain or :data:`~benchmark.comparison.rows.OVERALL`.
    """
    return [
        column
        for column in columns
        if column.metric is not None and column.metric.fraction and domain in (column.domain, OVERALL)
    ]


def _means(row: Row, columns: list[Column]) -> dict[str, Mean]:
    means = {}
    unmeasured = [column.domain for column in columns if column.metric is None]
    for domain in (*DOMAINS, OVERALL):
        names = [column.name for column in counted(columns, domain)]
        lacks = any(name not in row.cells for name in names) or (
            unmeasured if domain == OVERALL else domain in unmeasured
        )
        if not names or lacks:
            continue
        cells = [row.cells[name] for name in names]
        limits: tuple[float | None, float | None] = (None, None)
        draws = [cell.draws for cell in cells if cell.draws is not None]
        if len(draws) == len(cells):
            limits = percentiles(np.mean(draws, axis=0))
        means[domain] = Mean(float(np.mean([cell.gain for cell in cells])), *limits)
    return means


def _hear(rows: list[Row], columns: list[Column]) -> tuple[list[str], list[str]]:
    """Set HEAR's average of the rows; returns the rows and tasks that it is computed from."""
    has = np.array([[column.name in row.cells for column in columns] for row in rows], bool)
    has = has.reshape(len(rows), len(columns))
    of_rows, of_tasks = compared(has)
    kept = [row for row, taken in zip(rows, of_rows) if taken]
    tasks = [column.name for column, taken in zip(columns, of_tasks) if taken]
    if len(kept) < 2 or not tasks:
        return [], []
    values = hear_average(np.array([[row.cells[task].gain for task in tasks] for row in kept]))
    draws = [[row.cells[task].draws for task in tasks] for row in kept]
    drawn = None
    if all(each is not None for of_row in draws for each in of_row):
        drawn = hear_average(np.moveaxis(np.array(draws, np.float64), 2, 0))
    for index, row in enumerate(kept):
        limits: tuple[float | None, float | None] = (None, None)
        if drawn is not None:
            limits = basic_bootstrap_limits(float(values[index]), drawn[:, index], -1, 1)
        row.hear = Mean(float(values[index]), *limits)
    return [row.name for row in kept], tasks


def _settings(run: Run) -> dict[str, Any]:
    """Settings that are the same for all outcomes."""
    every = [outcome.settings for outcome in run.outcomes.values()]
    if not every:
        return {}
    return {
        name: value
        for name, value in every[0].items()
        if all(json.dumps(each.get(name), sort_keys=True) == json.dumps(value, sort_keys=True) for each in every)
    }
