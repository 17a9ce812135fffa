"""How well dissimilarities agree with listeners': by anchor, over all pairs, and beyond acoustic descriptors.

Source:
    Tian et al., timbremetrics (github.com/tiianhk/timbremetrics), for the correlation by anchor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from benchmark.studies.rsa.ranks import LEAST, pairs

#: Raise it when a change to the measures changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1


def by_anchor(models: np.ndarray, listeners: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """Spearman's correlation of the dissimilarities from each sound, the anchor, to the others; their mean.

    Args:
        models: ``(n_models, n, n)``.
        listeners: ``(n, n)``.
        chosen: positions of sounds, as of a bootstrap; a sound is not compared with itself. All if None.

    Returns:
        ``(n_models,)``, the mean over the anchors. An anchor with constant dissimilarities counts as 0; nan with fewer
        than four different sounds.

    Example:
        >>> matrix = np.abs(np.subtract.outer([1, 2, 4, 8, 16], [1, 2, 4, 8, 16]))
        >>> by_anchor(np.stack([matrix, -matrix]), matrix).round(6).tolist()
        [1.0, -1.0]
    """
    everything = np.arange(len(listeners)) if chosen is None else chosen
    if len(np.unique(everything)) < LEAST:
        return np.full(len(models), np.nan)
    found = []
    for anchor in everything:
        others = everything[everything != anchor]
        ranks = rankdata(np.concatenate([listeners[None, anchor, others], models[:, anchor, others]]), axis=1)
        ranks -= ranks.mean(1, keepdims=True)
        norms = np.linalg.norm(ranks, axis=1)
        product = norms[1:] * norms[0]
        found.append(np.divide(ranks[1:] @ ranks[0], product, out=np.zeros(len(models)), where=product > 0))
    mean: np.ndarray = np.mean(found, axis=0)
    return mean


def over_pairs(
    models: np.ndarray, listeners: np.ndarray, chosen: np.ndarray | None = None, held: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Spearman's correlation over all pairs of sounds, given the dissimilarities that are held constant.

    Args:
        models: ``(n_models, n, n)``.
        listeners: ``(n, n)``.
        chosen: positions of sounds, as of a bootstrap; all if None.
        held: ``(n, n)`` each, such as those of descriptors; nan where undefined. One that is undefined for more than
            half of the sounds is not held constant; otherwise, sounds without it are left out.

    Returns:
        ``(n_models,)``; 0 where there is nothing to explain or to explain it with, nan with fewer than four different
        sounds.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> level, pitch = (np.abs(np.subtract.outer(each, each)) for each in rng.random((2, 60)))
        >>> over_pairs(np.stack([pitch]), level + pitch, held=[level]).round(1).tolist()
        [1.0]
    """
    everything = np.arange(len(listeners)) if chosen is None else chosen
    known = [np.isfinite(np.diagonal(matrix)) for matrix in held]
    held = [matrix for matrix, defined in zip(held, known) if 2 * defined.sum() >= len(defined)]
    for defined in known:
        if 2 * defined.sum() >= len(defined):
            everything = everything[defined[everything]]
    if len(np.unique(everything)) < LEAST:
        return np.full(len(models), np.nan)
    ranks = rankdata(pairs([listeners, *models, *held], everything), axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1, keepdims=True)
    ranks = np.divide(ranks, norms, out=np.zeros_like(ranks), where=norms > 0)
    if held:
        basis = ranks[len(models) + 1 :]
        ranks = ranks - (ranks @ np.linalg.pinv(basis)) @ basis
    left = np.linalg.norm(ranks[: len(models) + 1], axis=1)
    product = left[1:] * left[0]
    return np.divide(ranks[1 : len(models) + 1] @ ranks[0], product, out=np.zeros(len(models)), where=product > 1e-9)


def averaged(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The mean over spaces, weighted by their numbers of sounds; spaces without a value are left out.

    Args:
        values: ``(n_spaces, n_models)``.
        sizes: ``(n_spaces,)``.

    Returns:
        ``(n_models,)``.
    """
    weights = np.where(np.isfinite(values), sizes[:, None], 0.0)
    total = weights.sum(0)
    summed = (np.nan_to_num(values) * weights).sum(0)
    return np.divide(summed, total, out=np.full(values.shape[1], np.nan), where=total > 0)
