"""Comparable directions of embeddings, and nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Similarities that are in memory at a time.
_SIMILARITIES = 16_000_000

#: Number of principal components that a direction keeps.
COMPONENTS = 64


def directions(embeddings: NDArray[np.floating[Any]], seed: int = 0) -> Tensor:
    """Turn embeddings into unit vectors whose cosines are compared.

    The mean of the collection is subtracted, since a value that all clips share distinguishes none of them. Each
    dimension is divided by the square root of its standard deviation, which is halfway to standardising it. The first
    :data:`COMPONENTS` principal components are kept. Each is divided by the square root of its standard deviation as
    well, so that a few components do not dominate. ``python -m benchmark search`` compares this with the plain cosine.
    On its validation parts, whole deviations were level for networks that learnt without labels, and 1.5 to 1.8 points
    worse for those with teachers.

    Args:
        embeddings: ``(n, size)``.
        seed: seed for the random start of the search for the components.

    Returns:
        ``(n, k)`` float32 unit vectors. The vector is 0 if a clip equals the mean of the collection, as a single clip
        does.
    """
    x = torch.from_numpy(np.array(embeddings, np.float32))
    mean, axes = comparable_axes(x, seed)
    x -= mean
    scores = x @ axes
    return scores / scores.norm(dim=1, keepdim=True).clamp(min=1e-12)


def comparable_axes(embeddings: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Compute what turns embeddings into comparable directions, see :func:`directions`.

    Args:
        embeddings: ``(n, size)`` float32, of a collection or of a sample of it.
        seed: seed for the random start of the search for the components.

    Returns:
        ``mean`` ``(size,)`` and ``axes`` ``(size, k)``, float32. The directions are those of
        ``(embeddings - mean) @ axes``.
    """
    mean = embeddings.mean(0, dtype=torch.float64).float()
    x = embeddings - mean
    std = x.square().mean(0, dtype=torch.float64).sqrt().float()
    # A dimension that hardly varies is a constant with rounding errors.
    moves = std > 1e-6 * mean.abs().clamp(min=1e-6)
    inverse = torch.where(moves, std.clamp(min=torch.finfo(torch.float32).tiny).rsqrt(), 0.0)
    x *= inverse
    _, scale, axes = _low_rank(x, COMPONENTS, seed)
    kept = scale > 1e-4 * scale.max()
    return mean, inverse[:, None] * axes[:, kept] * scale[kept].rsqrt()


def principal_components(x: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Compute principal components of centred rows ``(n, size)``: scores ``(n, k)`` and singular values ``(k,)``."""
    u, s, _ = _low_rank(x, count, seed)
    return u * s, s


def _low_rank(x: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The first singular vectors and values: ``(n, k)``, ``(k,)``, ``(size, k)``."""
    rank = min(count, *x.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # Extra components and iterations, so that the last ones are accurate too.
        u, s, v = torch.svd_lowrank(x, q=min(rank + 16, *x.shape), niter=6)
    return u[:, :rank], s[:rank], v[:, :rank]


def neighbours(units: Tensor, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the nearest neighbours of each row by cosine.

    Args:
        units: ``(n, size)`` unit vectors, from :func:`directions`.
        count: number of neighbours. There are at most ``n - 1``.

    Returns:
        Indices and cosines, both ``(n, min(count, n - 1))``, nearest first. Equal cosines keep the order of the rows.

    Example:
        >>> indices, cosines = neighbours(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]), 1)
        >>> indices.T, cosines.T
        (array([[2, 2, 0]]), array([[0.8, 0.6, 0.8]], dtype=float32))
    """
    n = len(units)
    count = min(count, n - 1)
    indices = torch.zeros((n, count), dtype=torch.int64, device=units.device)
    cosines = torch.zeros((n, count), dtype=torch.float32, device=units.device)
    if count > 0:
        rows = max(_SIMILARITIES // n, 1)
        for first in range(0, n, rows):
            similarity = units[first : first + rows] @ units.T
            similarity.diagonal(first).fill_(-torch.inf)
            found, order = similarity.topk(count, dim=1)
            # topk does not define the order of equal values: sort by index, then stably by cosine.
            order, by_index = order.sort(dim=1)
            found, by_cosine = found.gather(1, by_index).sort(dim=1, descending=True, stable=True)
            indices[first : first + rows] = order.gather(1, by_cosine)
            cosines[first : first + rows] = found
    return indices.numpy(), cosines.numpy()
