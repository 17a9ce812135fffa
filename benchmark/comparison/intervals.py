"""Intervals of scores: a bootstrap over the tested files, the same for every model, and the deviation over folds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from benchmark.comparison.metrics import Metric

#: Number of bootstrap samples.
RESAMPLES = 1000
#: Share of the draws within an interval.
LEVEL = 0.95
#: Elements of the matrix of weights in memory at a time.
_WEIGHTS = 8_000_000


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval.

    Attributes:
        low: lower limit, in the score's unit.
        high: upper limit.
        method: ``files`` (bootstrap over the tested files), ``folds`` (Student's t over the folds' scores) or
            ``binomial`` (Wilson's, where a bootstrap cannot vary because all files or none are correct).
    """

    low: float
    high: float
    method: Literal["files", "folds", "binomial"]

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2


def bootstrap_scores(
    metric: Metric, counts: NDArray[np.floating], fold_of: NDArray[np.integer], seed: int, resamples: int = RESAMPLES
) -> NDArray[np.floating]:
    """Scores of bootstrap samples: files are resampled within each fold, then scores are averaged over the folds.

    Every model is scored on the same draws, so that differences between models are paired.

    Args:
        metric: the score that the counts give.
        counts: ``(n_files, n_models, 3)``.
        fold_of: ``(n_files,)`` index of each file's fold.
        seed: seed of the draws.
        resamples: number of bootstrap samples.

    Returns:
        ``(n_models, resamples)``; nan where a draw has nothing to score.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993); the draws of a fold are multinomial weights.
    """
    random = np.random.default_rng(seed)
    n_models = counts.shape[1]
    folds = np.unique(fold_of)
    total = np.zeros((resamples, n_models))
    for fold in folds:
        own = counts[fold_of == fold]
        n = len(own)
        flat = own.reshape(n, -1)
        scores = np.empty((resamples, n_models))
        step = max(_WEIGHTS // n, 1)
        for first in range(0, resamples, step):
            many = min(step, resamples - first)
            weights = random.multinomial(n, np.full(n, 1 / n), size=many).astype(np.float32)
            sums = (weights @ flat.astype(np.float32)).reshape(many, n_models, 3)
            scores[first : first + many] = metric.ratio(sums.astype(np.float64))
        total += scores
    return (total / len(folds)).T


def task_seed(task: str, seed: int) -> int:
    """A seed for a task, the same on every machine."""
    return zlib.crc32(f"{seed} {task}".encode())


def percentiles(draws: NDArray[np.floating]) -> tuple[float, float]:
    """Limits of the middle 95 % of the draws; nan without draws or if all are the same, which gives no interval."""
    kept = draws[np.isfinite(draws)]
    if not len(kept) or np.ptp(kept) < 1e-12:
        return float("nan"), float("nan")
    low, high = np.percentile(kept, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def finite_percentiles(draws: ArrayLike) -> tuple[float, float]:
    """Limits of the middle 95 % of the finite draws, also if all are the same; nan without any."""
    values = np.asarray(draws)
    kept = values[np.isfinite(values)]
    low, high = np.percentile(kept, [2.5, 97.5]) if len(kept) else (np.nan, np.nan)
    return float(low), float(high)


def basic_bootstrap_limits(value: float, draws: NDArray[np.floating], least: float, most: float) -> tuple[float, float]:
    """Limits of a score whose draws are not centred on it: the percentiles of the draws, mirrored at the score.

    An example is HEAR's average: noise increases the deviation by which a task's scores are divided, so every draw is
    biased towards 0.

    Args:
        value: the score.
        draws: ``(resamples,)``.
        least: smallest possible score.
        most: largest possible score.

    Returns:
        Lower and upper limit, with the score between them; nan if the draws do not vary.

    Source:
        Davison and Hinkley, Bootstrap Methods and their Application (1997), section 2.4: basic bootstrap limits.

    Example:
        >>> low, high = basic_bootstrap_limits(0.75, np.linspace(0.6, 0.8, 1001), -1, 1)
        >>> round(low, 3), round(high, 3)
        (0.705, 0.895)
    """
    return mirrored(value, percentiles(draws), least, most)


def mirrored(value: float, limits: Iterable[float], least: float, most: float) -> tuple[float, float]:
    """Mirror percentiles of draws at the score, for :func:`basic_bootstrap_limits`.

    Args:
        value: the score.
        limits: lower and upper percentile of its draws.
        least: smallest possible score.
        most: largest possible score.

    Returns:
        Lower and upper limit, with the score between them; nan if the percentiles are.

    Example:
        >>> low, high = mirrored(0.75, (0.6, 0.8), 0, 1)
        >>> round(low, 3), round(high, 3)
        (0.7, 0.9)
    """
    low, high = (float(limit) for limit in limits)
    if np.isnan(low):
        return low, high
    return max(min(2 * value - high, value), least), min(max(2 * value - low, value), most)


def file_interval(metric: Metric, draws: NDArray[np.floating], counts: NDArray[np.floating]) -> Interval | None:
    """Compute the interval of a score from its draws.

    Args:
        metric: the score that the counts give.
        draws: ``(resamples,)``.
        counts: ``(n_files, 3)`` of the model.

    Returns:
        The percentile interval; Wilson's for an accuracy with all files or none correct; None if another score is the
        same in every draw.
    """
    right, n = counts[:, 0].sum(), len(counts)
    if metric.kind == "accuracy" and right in (0, n):
        limits = stats.binomtest(int(right), n).proportion_ci(LEVEL, method="wilson")
        return Interval(float(limits.low), float(limits.high), "binomial")
    low, high = percentiles(draws)
    return None if np.isnan(low) else Interval(low, high, "files")


def fold_interval(scores: NDArray[np.floating]) -> Interval | None:
    """Student's t interval of the mean over folds.

    Folds share training files, so it is somewhat too narrow (Bengio and Grandvalet, 2004).

    Args:
        scores: ``(n_folds,)``.

    Returns:
        The interval; None with fewer than three folds.
    """
    if len(scores) < 3:
        return None
    half = stats.t.ppf((1 + LEVEL) / 2, len(scores) - 1) * scores.std(ddof=1) / np.sqrt(len(scores))
    return Interval(float(scores.mean() - half), float(scores.mean() + half), "folds")


def fold_spread(scores: NDArray[np.floating]) -> float | None:
    """Standard deviation (n − 1) over folds; None with one fold."""
    return float(scores.std(ddof=1)) if len(scores) > 1 else None
