"""The noise ceiling: how well listeners agree with each other, where each one's ratings are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Takes ``(n_models, n, n)`` and ``(n, n)`` and returns ``(n_models,)``, as the functions of the module likeness.
Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def split_half(raters: np.ndarray, measure: Measure, draws: int, seed: int) -> float:
    """The agreement of the means of two random halves of the listeners, averaged over draws.

    Args:
        raters: ``(n_raters, n, n)``, four or more.
        measure: of their agreement.
        draws: number of random halvings.
        seed: of the halvings.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        order = rng.permutation(len(raters))
        half = len(raters) // 2
        found.append(float(measure(raters[order[:half]].mean(0)[None], raters[order[half:]].mean(0))[0]))
    return float(np.mean(found))


def corrected(half: float) -> float:
    """The agreement to expect of twice as many listeners as a half has (Spearman and Brown).

    Example:
        >>> round(corrected(0.8), 3)
        0.889
    """
    return 2 * half / (1 + half)


def one_against_rest(raters: np.ndarray, measure: Measure) -> float:
    """The agreement of one listener with the mean of the others, averaged over the listeners."""
    found = [
        float(measure(raters[index][None], np.delete(raters, index, axis=0).mean(0))[0]) for index in range(len(raters))
    ]
    return float(np.mean(found))
