"""How well scores tell windows with a class from windows without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.classifier import Operating

#: Draws of the bootstrap, and the confidence of its intervals.
N_DRAWS, CONFIDENCE = 200, 0.95
#: Points of precision and threshold that a classifier keeps for a class, at most.
MAX_POINTS = 101


@dataclass(frozen=True)
class Measured:
    """Measures of one class, on windows of held-out recordings.

    Attributes:
        average_precision: the area under the curve of precision over recall.
        interval: 95 % confidence interval of the average precision, from recordings drawn with replacement.
        precision: at the threshold of best F1.
        recall: at this threshold.
        f1: at this threshold.
        operating: the thresholds.
    """

    average_precision: float
    interval: tuple[float, float]
    precision: float
    recall: float
    f1: float
    operating: Operating


def measured(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], groups: NDArray[np.intp], seed: int = 0
) -> Measured:
    """Measure a class.

    Args:
        scores: ``(n_windows,)``.
        truth: ``(n_windows,)``, whether the class is there; in at least one window.
        groups: ``(n_windows,)`` number of each window's recording or group.
        seed: of the bootstrap.

    Returns:
        The measures.
    """
    thresholds, precision, recall = precision_recall(scores, truth)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(f1.argmax())
    # Halfway to the next score below, so that a score a little lower than the lowest that was seen still counts.
    lowered = (thresholds + np.append(thresholds[1:], thresholds[-1])) / 2
    return Measured(
        float(average_precisions(scores, truth)[0]),
        interval(scores, truth, groups, seed),
        float(precision[best]),
        float(recall[best]),
        float(f1[best]),
        Operating(float(lowered[best]), _points(lowered, precision)),
    )


def precision_recall(
    scores: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall at each threshold.

    Args:
        scores: ``(n_windows,)``.
        truth: ``(n_windows,)``.

    Returns:
        Thresholds, falling: the different scores; and the precision and recall of windows that score at least as much.

    Example:
        >>> precision_recall(np.array([0.9, 0.8, 0.3]), np.array([True, False, True]))[1]
        array([1.        , 0.5       , 0.66666667])
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return ordered[last], hits[last] / (last + 1), hits[last] / max(hits[-1], 1)


def average_precisions(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Average precision, for one or several weightings of the windows.

    Args:
        scores: ``(n_windows,)``.
        truth: ``(n_windows,)``.
        weights: ``(n_draws, n_windows)``; None for ones.

    Returns:
        ``(n_draws,)``; NaN where no window with the class has a weight.

    Example:
        >>> average_precisions(np.array([0.9, 0.8, 0.3]), np.array([True, False, True])).round(3)
        array([0.833])
    """
    order = np.argsort(-scores, kind="stable")
    drawn = np.ones((1, len(scores))) if weights is None else weights[:, order]
    positive = drawn * truth[order]
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits, seen = np.cumsum(positive, 1)[:, last], np.cumsum(drawn, 1)[:, last]
    gained = np.diff(hits, axis=1, prepend=0.0)
    total = hits[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (gained * hits / np.maximum(seen, 1e-12)).sum(1) / total, np.nan)


def interval(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], groups: NDArray[np.intp], seed: int = 0
) -> tuple[float, float]:
    """Confidence interval of the average precision, by drawing groups with replacement.

    Args:
        scores: ``(n_windows,)``.
        truth: ``(n_windows,)``.
        groups: ``(n_windows,)`` numbers.
        seed: of the draws.

    Returns:
        Its ends.
    """
    parts = [average_precisions(scores, truth, weights) for weights in drawn_groups(groups, N_DRAWS, seed)]
    low, high = np.nanquantile(np.concatenate(parts), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def drawn_groups(groups: NDArray[np.intp], n_draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Draw groups with replacement, for a bootstrap.

    Args:
        groups: ``(n_windows,)`` number of each window's recording or group.
        n_draws: number of draws.
        seed: of the draws.

    Yields:
        ``(k, n_windows)`` how often each window was drawn, in blocks, as a draw has a number for each window.
    """
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), n_draws)
    rows = max(1, 4_000_000 // len(groups))
    for first in range(0, n_draws, rows):
        yield drawn[first : first + rows][:, group].astype(np.float64)


def _points(thresholds: NDArray[np.float64], precision: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Precisions, rising, and the lowest thresholds that reach them; at most :data:`MAX_POINTS`.

    Of more, those are kept that answer every whole percent exactly, and the highest precision.
    """
    risen, values = thresholds[::-1], precision[::-1]
    best_before = np.maximum.accumulate(np.append(-np.inf, values[:-1]))
    risen, values = risen[values > best_before], values[values > best_before]
    if len(values) > MAX_POINTS:
        percents = np.searchsorted(values, np.arange(1, 101) / 100)
        kept = np.unique(np.append(percents[percents < len(values)], len(values) - 1))
        risen, values = risen[kept], values[kept]
    return tuple(zip(values.tolist(), risen.tolist(), strict=True))
