"""Dissimilarity matrices of embeddings, descriptors and categories.

Source:
    van den Bosch et al., A Python toolbox for representational similarity analysis, eLife 14 (2025), package
    ``rsatoolbox``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import pdist, squareform

from benchmark.studies.rsa.descriptors import DESCRIPTORS

if TYPE_CHECKING:
    from rsatoolbox.rdm.rdms import RDMs

#: Dissimilarities of embeddings: one minus Pearson's correlation, one minus the cosine, Euclidean distance.
DISTANCES = ("correlation", "cosine", "euclidean")


def embedding_matrix(embeddings: np.ndarray, distance: str) -> np.ndarray:
    """Compute the dissimilarities of embeddings.

    Args:
        embeddings: ``(n, n_features)``, finite.
        distance: a name out of :data:`DISTANCES`.

    Returns:
        ``(n, n)`` float64, symmetric, zero on the diagonal.

    Raises:
        ValueError: if an embedding is not finite, or the distance is undefined (as the correlation of a constant).
    """
    if distance not in DISTANCES:
        raise ValueError(f"expected a distance out of {', '.join(DISTANCES)}, got {distance!r}")
    if not np.isfinite(embeddings).all():
        bad = int((~np.isfinite(embeddings)).any(1).sum())
        raise ValueError(
            f"expected finite embeddings, got NaN or infinity in those of {bad} of {len(embeddings)} clips"
        )
    matrix: np.ndarray = squareform(pdist(embeddings.astype(np.float64), distance))
    if not np.isfinite(matrix).all():
        raise ValueError(f"the {distance} distance is undefined for some embeddings: they are constant or zero")
    return matrix


def descriptor_matrix(values: np.ndarray) -> np.ndarray:
    """Dissimilarities of descriptors: Euclidean distances of ``(n, n_values)``.

    The result is ``(n, n)``, with nan in the rows and columns of clips for which the descriptor is undefined.
    """
    matrix: np.ndarray = np.linalg.norm(values[:, None].astype(float) - values[None].astype(float), axis=-1)
    return matrix


def category_matrix(categories: np.ndarray) -> np.ndarray:
    """0 for clips of the same category, else 1: ``(n,)`` to ``(n, n)``."""
    return (categories[:, None] != categories[None]).astype(float)


def reference_matrices(described: Sequence[Mapping[str, list[float]]]) -> dict[str, np.ndarray]:
    """A matrix for each descriptor of some clips, see :func:`benchmark.studies.rsa.descriptors.describe`."""
    return {name: descriptor_matrix(np.array([each[name] for each in described])) for name in DESCRIPTORS}


def defined(matrix: np.ndarray) -> np.ndarray:
    """``(n,)`` whether a clip's dissimilarities are defined; if not, its diagonal element is nan."""
    return np.isfinite(np.diagonal(matrix))


def rdms(matrices: Sequence[np.ndarray], names: Sequence[str]) -> RDMs:
    """Convert matrices ``(n, n)`` to rsatoolbox's object, with their names in its descriptor ``name``.

    Raises:
        ModuleNotFoundError: if rsatoolbox is not installed.
    """
    try:
        from rsatoolbox.rdm.rdms import RDMs
    except ImportError:
        raise ModuleNotFoundError(
            "representational similarity analysis needs rsatoolbox: pip install rsatoolbox", name="rsatoolbox"
        ) from None
    return RDMs(np.stack(matrices), rdm_descriptors={"name": list(names)})
