"""Unbiased linear centred kernel alignment (CKA) of two sets of activations for the same clips.

The plain form grows with the number of features even for noise. The unbiased form has an expectation of zero there, for
any numbers of features and clips.

Source:
    Kornblith et al., Similarity of Neural Network Representations Revisited (arXiv 1905.00414); Song et al., Feature
    Selection via Dependence Maximization, JMLR 13 (2012), for the unbiased estimator; Nguyen, Raghu and Kornblith
    (arXiv 2010.15327), who use it for CKA.
"""

from __future__ import annotations

import numpy as np


def gram(activations: np.ndarray) -> np.ndarray:
    """Inner products of clips, features centred: ``(n, n_features)`` to ``(n, n)`` float64.

    Raises:
        ValueError: if there are fewer than four clips or a value is not finite.
    """
    if activations.ndim != 2 or len(activations) < 4:
        raise ValueError(f"expected activations of at least four clips, (n, n_features), got {activations.shape}")
    if not np.isfinite(activations).all():
        raise ValueError("expected finite activations, got NaN or infinity")
    centred = activations.astype(np.float64) - activations.mean(0, dtype=np.float64)
    product: np.ndarray = centred @ centred.T
    return product


def unbiased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased estimate of the Hilbert-Schmidt independence criterion of two Gram matrices ``(n, n)``."""
    n_clips = len(first)
    first, second = first - np.diag(np.diagonal(first)), second - np.diag(np.diagonal(second))
    sums = first.sum(0), second.sum(0)
    value = (
        np.sum(first * second)
        + sums[0].sum() * sums[1].sum() / ((n_clips - 1) * (n_clips - 2))
        - 2 / (n_clips - 2) * (sums[0] @ sums[1])
    )
    return float(value / (n_clips * (n_clips - 3)))


def cka(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased linear CKA of two Gram matrices ``(n, n)``.

    It is 1 for activations that are equal up to rotation and scale, 0 on average for independent ones, and nan if one
    is constant.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> activations = rng.standard_normal((50, 8))
        >>> rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
        >>> round(cka(gram(activations), gram(3 * activations @ rotation)), 6)
        1.0
    """
    scale = unbiased_hsic(first, first) * unbiased_hsic(second, second)
    return unbiased_hsic(first, second) / scale**0.5 if scale > 0 else float("nan")


def cka_interval(first: np.ndarray, second: np.ndarray, seed: int = 0, parts: int = 20) -> tuple[float, float, float]:
    """CKA and its 95 % interval: 1.96 standard errors of a jackknife over parts of the clips.

    A bootstrap would compare clips with themselves.

    Args:
        first: Gram matrix, ``(n, n)``.
        second: Gram matrix of the same clips.
        seed: seed of the parts.
        parts: number of parts.

    Returns:
        Value, lower and upper end; the ends are nan with fewer than three clips a part.
    """
    value, n_clips = cka(first, second), len(first)
    if n_clips < 3 * parts:
        return value, float("nan"), float("nan")
    shuffled = np.random.default_rng(seed).permutation(n_clips)
    left = []
    for part in np.array_split(shuffled, parts):
        kept = np.ix_(np.setdiff1d(shuffled, part), np.setdiff1d(shuffled, part))
        # Means over fewer clips differ; the unbiased estimate does not depend on them.
        left.append(cka(first[kept], second[kept]))
    error = float(np.sqrt((parts - 1) / parts * np.sum((np.array(left) - np.mean(left)) ** 2)))
    return value, value - 1.96 * error, min(value + 1.96 * error, 1.0)
