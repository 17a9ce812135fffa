"""The comparison: every score, mean and interval of the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.averages import compared, hear_average
from benchmark.comparison.folder import DOMAINS, Column, Run
from benchmark.comparison.intervals import (
    RESAMPLES,
    Interval,
    basic_bootstrap_limits,
    bootstrap_scores,
    file_interval,
    fold_interval,
    fold_spread,
    percentiles,
    task_seed,
)
from benchmark.comparison.outcome import Outcome

#: The rows of a short table, which the best others follow.
SHORT_ROWS = ("both", "speech", "nonspeech", "untrained")
#: Rows that come first, in this order; the others are sorted by their mean.
FIRST_ROWS = (
    *SHORT_ROWS,
    *("transformer-both", "transformer-speech", "transformer-nonspeech", "untrained_transformer"),
)
#: Name of the mean over all tasks.
OVERALL = "overall"
#: Largest difference between a score and that of the summed counts; beyond it, the counts are not used.
_TOLERANCE = 2e-3


@dataclass(frozen=True)
class TaskScore:
    """A model's score on a task.

    Attributes:
        score: heareval's score, mean over the folds.
        gain: the same so that higher is better.
        interval: its interval; None if there is none.
        spread: standard deviation over the folds; None with one fold.
        folds: score by fold.
        others: heareval's other scores, mean over the folds.
        draws: ``(resamples,)`` bootstrap draws of ``gain``; None if the score is not a ratio of sums over files.
    """

    score: float
    gain: float
    interval: Interval | None
    spread: float | None
    folds: dict[str, float]
    others: dict[str, float]
    draws: NDArray[np.floating] | None


@dataclass(frozen=True)
class Mean:
    """A mean over tasks, in fractions of 1 (higher is better), with its interval over the tested files."""

    value: float
    low: float | None
    high: float | None


@dataclass
class Row:
    """A model.

    Attributes:
        name: its name.
        note: what a reader must know about it.
        status: ``ok``, ``unavailable``, ``failed`` or ``not measured``.
        reason: why it is not ok.
        identity: identity of the model that was measured.
        cells: scores by task.
        missing: reasons for missing scores, by task.
        means: by domain and :data:`OVERALL`, if it has every task of the mean.
        hear: HEAR's average; None if the row is not part of it.
    """

    name: str
    note: str
    status: str
    reason: str
    identity: str = ""
    cells: dict[str, TaskScore] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    means: dict[str, Mean] = field(default_factory=dict)
    hear: Mean | None = None


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
        for name, cell in _cells(run, column, seed, resamples, notes).items():
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


def _cells(run: Run, column: Column, seed: int, resamples: int, notes: list[str]) -> dict[str, TaskScore]:
    """A task's scores by model, all resampled together."""
    outcomes = {model: outcome for (model, task), outcome in run.outcomes.items() if task == column.name}
    draws = _draws(column, outcomes, seed, resamples, notes)
    metric = column.metric
    assert metric is not None  # a column without outcomes is not passed here
    cells = {}
    for model, outcome in outcomes.items():
        scores = np.asarray(outcome.scores[:, 0], np.float64)
        own = draws.get(model)
        interval = fold_interval(scores) if own is None else file_interval(metric, own, np.asarray(outcome.counts))
        cells[model] = TaskScore(
            score=outcome.score,
            gain=float(metric.gain(outcome.score)),
            interval=interval,
            spread=fold_spread(scores),
            folds=dict(zip(outcome.folds, scores.tolist())),
            others=dict(zip(outcome.metrics[1:], np.asarray(outcome.scores)[:, 1:].mean(axis=0).tolist())),
            draws=None if own is None else np.asarray(metric.gain(own)),
        )
    return cells


def _draws(
    column: Column, outcomes: dict[str, Outcome], seed: int, resamples: int, notes: list[str]
) -> dict[str, NDArray[np.floating]]:
    """Bootstrap draws by model, for models whose counts give their score."""
    metric = column.metric
    assert metric is not None  # as above
    able = []
    for model, outcome in outcomes.items():
        counts = np.asarray(outcome.counts, np.float64)
        if not np.isfinite(counts).all():
            continue
        sums = np.stack([counts[column.fold_of == fold].sum(0) for fold in np.unique(column.fold_of)])
        if abs(float(metric.ratio(sums).mean()) - outcome.score) > _TOLERANCE:
            notes.append(
                f"{model} on {column.title}: the counts of its files do not give its score, so it has no interval "
                "over files."
            )
            continue
        able.append(model)
    if not able:
        return {}
    counts = np.stack([np.asarray(outcomes[model].counts, np.float64) for model in able], axis=1)
    scores = bootstrap_scores(metric, counts, column.fold_of, task_seed(column.name, seed), resamples)
    return dict(zip(able, scores))


def counted(columns: list[Column], domain: str) -> list[Column]:
    """The tasks of a mean: those of a domain, or all, whose score is on a scale from 0 to 1.

    Args:
        columns: the tasks.
        domain: a domain or :data:`OVERALL`.
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


class Placed(Protocol):
    """What decides the place of a row."""

    @property
    def name(self) -> str: ...
    @property
    def cells(self) -> Mapping[str, Any]: ...
    @property
    def means(self) -> Mapping[str, Mean]: ...


PlacedRow = TypeVar("PlacedRow", bound=Placed)


def ordered(rows: list[PlacedRow]) -> list[PlacedRow]:
    """Sort rows: the networks, then by mean, then rows without a mean, then rows without scores."""

    def place(row: PlacedRow) -> tuple[Any, ...]:
        first = FIRST_ROWS.index(row.name) if row.name in FIRST_ROWS else len(FIRST_ROWS)
        mean = row.means.get(OVERALL)
        return (not row.cells, first, mean is None, -(mean.value if mean else 0.0), row.name)

    return sorted(rows, key=place)


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
