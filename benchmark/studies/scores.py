"""Scores of models on several tasks: which are compared, their bootstrap samples, and differences with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.comparison.intervals import percentiles
from benchmark.probes.probe import TaskResult

#: Ways to use an embedding: the measure (:mod:`benchmark.studies.measures`), and the labels a class; 0 for all.
READOUTS = {"probe": ("probe", 0), "5 neighbours": ("neighbours", 0), "20 labels": ("ridge", 20)}
#: Bootstrap samples of a mean.
_DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, points; nan where there is no interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        interval = f" ({self.low:+.1f} to {self.high:+.1f})" if np.isfinite(self.low) else ""
        return f"{self.value:+.1f}{interval}"

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low * self.high > 0


def resampled_mean(values: np.ndarray) -> Estimate:
    """The mean of values, ``(n,)``, such as differences by task or by draw, with its interval if others were drawn."""
    drawn = values[np.random.default_rng(0).integers(len(values), size=(_DRAWS, len(values)))].mean(1)
    return Estimate(float(values.mean()), *percentiles(drawn))


@dataclass(frozen=True)
class Scores:
    """The probe's accuracy of a model, %, with bootstrap samples.

    Attributes:
        values: by task.
        draws: by task, ``(n_draws,)``; the tested clips of each fold are resampled.
    """

    values: Mapping[str, float]
    draws: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, numbers: pd.DataFrame, model: str) -> Scores:
        """Those of a model, each fold's accuracy averaged over seeds."""
        rows = numbers[(numbers["measure"] == "probe") & (numbers["model"] == model)]
        values, draws = {}, {}
        # Every model has its own draws: the numbers do not tell which clips were right, so nothing is paired.
        start = 1000 * numbers["model"].unique().tolist().index(model)
        means = rows.groupby(["task", "draw"])[["accuracy", "clips"]].mean()
        for number, task in enumerate(rows["task"].unique()):
            folds = means.loc[task]
            accuracies, counts = folds["accuracy"].tolist(), folds["clips"].astype(int).tolist()
            result = TaskResult(str(task), [""] * len(folds), accuracies, [0.0] * len(folds), counts)
            values[str(task)], draws[str(task)] = result.accuracy, result.draws(start + number)
        return cls(values, draws)

    def minus(self, other: Scores) -> Scores:
        """The difference, task by task."""
        return Scores(
            {task: value - other.values[task] for task, value in self.values.items()},
            {task: value - other.draws[task] for task, value in self.draws.items()},
        )

    def mean(self, weights: Mapping[str, float]) -> Estimate:
        """A weighted sum over tasks."""
        drawn = sum(weight * self.draws[task] for task, weight in weights.items())
        return Estimate(
            sum(weight * self.values[task] for task, weight in weights.items()), *percentiles(np.asarray(drawn))
        )


def mean_over(tasks: Iterable[str], sign: float = 1.0) -> dict[str, float]:
    """The weights that :meth:`Scores.mean` needs for the mean over tasks, or with ``sign`` −1 for its negative."""
    names = list(tasks)
    return {task: sign / len(names) for task in names}


def complete(numbers: pd.DataFrame) -> list[str]:
    """Tasks with results for every number of labels, so that means over them can be compared."""
    few = numbers[numbers["count"] > 0]
    n_counts = few.groupby("task", sort=False)["count"].nunique()
    return [str(task) for task in n_counts.index[n_counts == few["count"].nunique()]]
