"""A learnt metric: a non-negative weight for each dimension of an embedding, fitted to listeners' dissimilarities.

Embeddings are scaled to norm 1, so that with equal weights the squared distance is twice one minus the cosine. The
weights are fitted to spaces that share neither study nor sounds with those that they are tested on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import pdist, squareform

from benchmark.studies.listeners.likeness import averaged, by_anchor

#: Strengths with which the weights are held equal; the best is chosen on a part of the training spaces.
STRENGTHS = (0.1, 1.0, 10.0)
#: Steps of the optimisation, and number of parts that the studies of a set are dealt to.
STEPS, PARTS = 40, 5


@dataclass(frozen=True)
class Rated:
    """A space for fitting: embeddings ``(n, n_features)`` with norm 1 and dissimilarities ``(n, n)``."""

    embeddings: np.ndarray
    dissimilarity: np.ndarray


def scaled(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings ``(n, n_features)`` with norm 1, float32; a vector of zeros stays."""
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return (embeddings / np.where(norms > 0, norms, 1)).astype(np.float32)


def fitted(spaces: Sequence[Rated]) -> np.ndarray:
    """The weights, ``(n_features,)``, mean about 1, of the best strength.

    The last third of the spaces chooses the strength.
    """
    n_chosen = max(1, len(spaces) // 3)
    if len(spaces) < 2:
        return _weights(spaces, STRENGTHS[-1])
    first, last = spaces[:-n_chosen], spaces[-n_chosen:]
    scores = [_agreement(last, _weights(first, strength)) for strength in STRENGTHS]
    return _weights(spaces, STRENGTHS[int(np.argmax(scores))])


def weighted_matrix(embeddings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Squared distances ``(n, n)`` of embeddings ``(n, n_features)`` under weights ``(n_features,)``."""
    matrix: np.ndarray = squareform(pdist(scaled(embeddings).astype(np.float64) * np.sqrt(weights), "sqeuclidean"))
    return matrix


def _agreement(spaces: Sequence[Rated], weights: np.ndarray) -> float:
    values = [by_anchor(weighted_matrix(each.embeddings, weights)[None], each.dissimilarity) for each in spaces]
    return float(averaged(np.array(values), np.array([len(each.embeddings) for each in spaces]))[0])


def _weights(spaces: Sequence[Rated], strength: float) -> np.ndarray:
    features, targets = [], []
    for space in spaces:
        first, second = np.triu_indices(len(space.embeddings), 1)
        squared = (space.embeddings[first] - space.embeddings[second]) ** 2
        target = space.dissimilarity[first, second]
        features.append(squared - squared.mean(0))
        targets.append((target - target.mean()) / (target.std() or 1.0))
    table, target = np.concatenate(features), np.concatenate(targets).astype(np.float32)
    equal = table.sum(1)
    # The common scale at which equal weights fit best.
    scale = max(float(equal @ target / max(float(equal @ equal), 1e-12)), 1e-3)
    table *= scale
    penalty = strength * float(np.square(table).sum()) / table.shape[1]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        left = table @ weights.astype(np.float32) - target
        apart = weights - 1
        gradient = 2 * (left @ table).astype(np.float64) + 2 * penalty * apart
        return float(left @ left) + penalty * float(apart @ apart), gradient

    start = np.ones(table.shape[1])
    done = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options={"maxiter": STEPS}
    )
    found: np.ndarray = done.x
    return found


def study_of(space: str) -> str:
    """The study or singer of a space, whose spaces are not split.

    Example:
        >>> study_of("Siedenburg2016_e2set1"), study_of("f2highPitch")
        ('Siedenburg2016', 'f2')
    """
    matched = re.match(r"[A-Za-z]+\d+", space)
    return matched[0] if matched else space


def parts_of(names: Sequence[str], sounds: Mapping[str, frozenset[str]]) -> list[int]:
    """Deal spaces to parts, such that spaces of one study, or with a sound in common, are in the same part.

    Args:
        names: of the spaces.
        sounds: hashes of each space's sounds.

    Returns:
        The number of each space's part.
    """
    group = {name: study_of(name) for name in names}
    for first in names:
        for second in names:
            if sounds[first] & sounds[second] and group[first] != group[second]:
                old, new = group[second], group[first]
                group = {name: new if each == old else each for name, each in group.items()}
    order = {each: place % PARTS for place, each in enumerate(sorted(set(group.values())))}
    return [order[group[name]] for name in names]
