"""Scores of a task, with intervals over its files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.folder import Column, Run
from benchmark.comparison.intervals import bootstrap_scores, file_interval, fold_interval, fold_spread, task_seed
from benchmark.comparison.outcome import Outcome
from benchmark.comparison.rows import TaskScore

#: Largest difference between a score and that of the summed counts; beyond it, the counts are not used.
_TOLERANCE = 2e-3


def task_scores(run: Run, column: Column, seed: int, resamples: int, notes: list[str]) -> dict[str, TaskScore]:
    """A task's scores by model, all resampled together.

    Args:
        run: the run.
        column: a task with outcomes.
        seed: seed of the bootstrap.
        resamples: number of bootstrap samples.
        notes: notes for the reader, which more are added to.

    Returns:
        Scores by the model's name.
    """
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
