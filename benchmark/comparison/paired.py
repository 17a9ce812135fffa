"""Tests of two models on the same files, and of differences over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.comparison.metrics import Metric

#: Times that models are exchanged at random.
PERMUTATIONS = 2000
#: Tasks up to which every way to exchange models on tasks is tried: 2 to that power.
_EXACT_TASKS = 16


def mcnemar(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[int, int, float]:
    """Exact McNemar test of two models' right answers on the same files.

    Args:
        first: ``(n_files,)`` 1 where the first model is right, 0 where not.
        second: the same of the other.

    Returns:
        Files that only the first has right; that only the second has right; two-sided p.

    Source:
        McNemar, Psychometrika 12 (1947); Dietterich, Neural Computation 10 (1998).

    Example:
        >>> mcnemar(np.array([1, 1, 1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 0, 1, 0]))
        (5, 0, 0.0625)
    """
    only_first = int(np.sum((first > 0) & (second == 0)))
    only_second = int(np.sum((second > 0) & (first == 0)))
    if only_first + only_second == 0:
        return 0, 0, 1.0
    return only_first, only_second, float(stats.binomtest(only_first, only_first + only_second).pvalue)


def exchange_test(
    metric: Metric,
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    fold_of: NDArray[np.integer],
    seed: int,
    permutations: int = PERMUTATIONS,
) -> float:
    """Paired permutation test of a score that is a ratio of sums: each file's two results are exchanged or not.

    Args:
        metric: what the counts make.
        first: ``(n_files, 3)`` counts of one model.
        second: those of the other, of the same files.
        fold_of: ``(n_files,)``.
        seed: of the exchanges.
        permutations: how many.

    Returns:
        Two-sided p of the difference of the mean over folds.
    """
    random = np.random.default_rng(seed)
    difference = np.zeros(permutations + 1)
    for fold in np.unique(fold_of):
        a, b = first[fold_of == fold], second[fold_of == fold]
        kept = np.ones((permutations + 1, len(a)), np.float32)
        kept[1:] = random.integers(0, 2, (permutations, len(a)), dtype=np.int8)
        change = (kept @ (a - b).astype(np.float32)).astype(np.float64)
        difference += metric.ratio(b.sum(0) + change) - metric.ratio(a.sum(0) - change)
    return float(np.mean(np.abs(difference) >= abs(difference[0]) - 1e-9))


def sign_flip(weights: NDArray[np.floating], differences: NDArray[np.floating], seed: int) -> float:
    """Test whether a weighted sum of differences over tasks is more than chance: each task's sign is flipped or not.

    Args:
        weights: ``(n_tasks,)`` of the sum.
        differences: ``(n_tasks,)`` of the two models' scores.
        seed: of the flips, where there are too many tasks to try all.

    Returns:
        Two-sided p; every flip is tried up to sixteen tasks, and as many at random beyond.

    Example:
        >>> sign_flip(np.full(3, 1 / 3), np.array([1.0, 2.0, 3.0]), 0)
        0.25
    """
    terms = weights * differences
    if len(terms) <= _EXACT_TASKS:
        signs = np.array(list(product((1, -1), repeat=len(terms))), np.float64).reshape(-1, len(terms))
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], (2**_EXACT_TASKS, len(terms)))
        signs[0] = 1
    sums = np.abs(signs @ terms)
    return float(np.mean(sums >= abs(terms.sum()) - 1e-9))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979).

    Args:
        p_values: one a test; nan where there was none.

    Returns:
        As many, at most 1; nan where there was none.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    corrected = np.full(len(p), np.nan)
    order = [index for index in np.argsort(p, kind="stable") if np.isfinite(p[index])]
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, float(p[index]) * (len(order) - place))
        corrected[index] = min(largest, 1.0)
    return [float(value) for value in corrected]
