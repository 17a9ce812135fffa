"""Tests of two models on the same files, and of their differences over tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.comparison.metrics import Metric

#: Number of random exchanges.
PERMUTATIONS = 2000
#: Largest number of groupings of tasks that are all tried.
_MOST_GROUPS = 65_536


def mcnemar(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[int, int, float]:
    """Exact McNemar test of two models on the same files.

    Args:
        first: ``(n_files,)`` 1 where the first model is correct, else 0.
        second: the same for the second model.

    Returns:
        Number of files that only the first has right, number that only the second has right, two-sided p.

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
    """Paired permutation test of a score that is a ratio of sums: the two results of random files are exchanged.

    Args:
        metric: the score that the counts give.
        first: ``(n_files, 3)`` counts of the first model.
        second: counts of the second model on the same files.
        fold_of: ``(n_files,)`` index of each file's fold.
        seed: seed of the exchanges.
        permutations: number of exchanges.

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


def group_exchange(differences: NDArray[np.floating], n_first: int, seed: int) -> float:
    """Permutation test of whether differences are larger in one group of tasks than in another.

    Only the difference between the groups is tested: a model that is better by the same amount on every task has none,
    however large the amount.

    Args:
        differences: ``(n_tasks,)`` differences of the two models' scores, the first group's tasks first.
        n_first: number of tasks in the first group.
        seed: seed of the groupings, if there are too many to try all.

    Returns:
        Two-sided p: the share of groupings whose two means are at least as far apart. Up to 65 536 groupings all are
        tried, beyond that as many random ones.

    Source:
        Fisher's exact permutation test of two groups; Good, Permutation Tests (2000).

    Example:
        >>> group_exchange(np.array([5.0, 6.0, 1.0, 2.0]), 2, 0) == least_p(2, 2)
        True
        >>> group_exchange(np.array([5.0, 5.0, 5.0, 5.0]), 2, 0)
        1.0
    """
    n_tasks = len(differences)
    if math.comb(n_tasks, n_first) <= _MOST_GROUPS:
        chosen = np.array(list(combinations(range(n_tasks), n_first)), np.int64)
    else:
        random = np.random.default_rng(seed)
        chosen = random.permuted(np.tile(np.arange(n_tasks), (_MOST_GROUPS, 1)), axis=1)[:, :n_first]
        chosen[0] = np.arange(n_first)
    inside = differences[chosen].sum(axis=1)
    apart = np.abs(inside / n_first - (differences.sum() - inside) / (n_tasks - n_first))
    observed = abs(differences[:n_first].mean() - differences[n_first:].mean())
    return float(np.mean(apart >= observed - 1e-9))


def least_p(n_first: int, n_second: int) -> float:
    """The smallest possible p of :func:`group_exchange` for the numbers of tasks in the two groups.

    Example:
        >>> least_p(2, 3), least_p(2, 2)
        (0.1, 0.3333333333333333)
    """
    # With groups of equal size, the exchanged groups are as far apart as the observed ones.
    most_extreme = 2 if n_first == n_second else 1
    return max(most_extreme / math.comb(n_first + n_second, n_first), 1 / _MOST_GROUPS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979).

    Args:
        p_values: one for each test; nan without a test.

    Returns:
        Corrected values, at most 1; nan without a test.

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
