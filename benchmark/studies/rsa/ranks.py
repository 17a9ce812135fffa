"""Rank correlations of dissimilarities, plain and partial."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

#: Smallest number of different stimuli to compare over.
LEAST = 4


def pairs(matrices: Sequence[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """``(n_matrices, n_pairs)`` dissimilarities of all pairs of chosen stimuli.

    A stimulus that is chosen twice, as by a bootstrap, is not compared with itself.
    """
    first, second = np.triu_indices(len(chosen), 1)
    different = chosen[first] != chosen[second]
    first, second = chosen[first[different]], chosen[second[different]]
    return np.stack([matrix[first, second] for matrix in matrices])


def _rank_table(dissimilarities: np.ndarray) -> np.ndarray:
    """Spearman's correlations between the rows of ``(n_matrices, n_pairs)``; 0 where a row is constant."""
    ranks = rankdata(dissimilarities, axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1, keepdims=True)
    ranks = np.divide(ranks, norms, out=np.zeros_like(ranks), where=norms > 0)
    table: np.ndarray = ranks @ ranks.T
    return table


def rank_correlations(models: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Spearman's correlations.

    Args:
        models: ``(n_models, n_pairs)``.
        references: ``(n_references, n_pairs)``.

    Returns:
        ``(n_models, n_references)``; 0 where one of the two is constant.
    """
    return _rank_table(np.concatenate([models, references]))[: len(models), len(models) :]


def partial_correlations(models: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Spearman's partial correlations with each reference given all others.

    Args:
        models: ``(n_models, n_pairs)``.
        references: ``(n_references, n_pairs)``.

    Returns:
        ``(n_models, n_references)``; 0 where one is constant or a linear combination of the other references.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> level, pitch = rng.random((2, 5000))
        >>> models, references = np.array([level + pitch]), np.array([level, pitch])
        >>> rank_correlations(models, references).round(1).tolist()
        [[0.7, 0.7]]
        >>> partial_correlations(models, references).round(1).tolist()
        [[1.0, 1.0]]
    """
    n_models = len(models)
    table = _rank_table(np.concatenate([models, references]))
    plain, among = table[:n_models, n_models:], table[n_models:, n_models:]
    partial = np.zeros_like(plain)
    for index in range(len(references)):
        others = np.delete(np.arange(len(references)), index)
        solve = np.linalg.pinv(among[np.ix_(others, others)])
        to_others = among[index, others]
        left = 1 - to_others @ solve @ to_others
        for model in range(n_models):
            explained = plain[model, others] @ solve
            rest = 1 - explained @ plain[model, others]
            if left > 1e-9 and rest > 1e-9:
                partial[model, index] = (plain[model, index] - explained @ to_others) / (left * rest) ** 0.5
    return np.clip(partial, -1, 1)


def over(
    chosen: np.ndarray,
    correlations: Callable[[np.ndarray, np.ndarray], np.ndarray],
    models: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
) -> np.ndarray:
    """Rank correlations of square matrices over chosen stimuli; nan with too few different ones.

    Args:
        chosen: ``(n_chosen,)`` positions of stimuli.
        correlations: :func:`rank_correlations` or :func:`partial_correlations`.
        models: ``(n, n)`` each.
        references: ``(n, n)`` each.

    Returns:
        ``(n_models, n_references)``.
    """
    if len(np.unique(chosen)) < LEAST:
        return np.full((len(models), len(references)), np.nan)
    return correlations(pairs(models, chosen), pairs(references, chosen))
