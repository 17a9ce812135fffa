"""Layouts: from embeddings to places on a plane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.analysis.neighbours import principal_components
from byola_hear.utils.optional import lack


class LayoutError(ValueError):
    """A layout is not possible with these embeddings or this installation. The message says why."""


def pca(units: Tensor, seed: int) -> NDArray[np.float64]:
    """Project the rows on the two directions in which they differ most.

    Args:
        units: ``(n, size)``.
        seed: seed for the random start of the subspace iteration.

    Returns:
        ``(n, 2)``. The value furthest from 0 is positive on each axis.
    """
    scores, _ = principal_components(units - units.mean(0), 2, seed)
    places = torch.zeros(len(units), 2, dtype=torch.float64, device=units.device)
    places[:, : scores.shape[1]] = scores.double()
    furthest = places.gather(0, places.abs().argmax(0, keepdim=True))
    return (places * torch.where(furthest < 0, -1.0, 1.0)).numpy()


def tsne(units: Tensor, seed: int) -> NDArray[np.float64]:
    """t-SNE of the cosines (van der Maaten and Hinton, 2008), by scikit-learn; ``(n, size)`` to ``(n, 2)``."""
    from sklearn.manifold import TSNE

    _enough(units, "tsne")
    perplexity = min(30.0, (len(units) - 1) / 3)
    start = pca(units, seed)
    start = start / max(float(start[:, 0].std()), 1e-12) * 1e-4
    model = TSNE(perplexity=perplexity, metric="cosine", init=start, random_state=seed)
    return np.asarray(model.fit_transform(units.numpy()), np.float64)


def umap(units: Tensor, seed: int) -> NDArray[np.float64]:
    """UMAP of the cosines (McInnes et al., arXiv 1802.03426), by umap-learn; ``(n, size)`` to ``(n, 2)``."""
    from umap import UMAP

    _enough(units, "umap")
    model = UMAP(
        n_neighbors=min(15, len(units) - 1),
        metric="cosine",
        init=pca(units, seed) if len(units) < 16 else "spectral",
        random_state=seed,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(units.numpy()), np.float64)


#: Layout methods by name.
METHODS: dict[str, Callable[[Tensor, int], NDArray[np.float64]]] = {"pca": pca, "tsne": tsne, "umap": umap}
#: Requirements of a method beyond those of the package: the module, the package, and the extra that installs it.
_NEEDS = {"tsne": ("sklearn.manifold", "scikit-learn", "sklearn"), "umap": ("umap", "umap-learn", "umap")}


def check_method(method: str) -> None:
    """Check a method before anything is computed.

    Raises:
        LayoutError: if there is no such method, or the package that it needs is not installed or can't be imported.
    """
    if method not in METHODS:
        raise LayoutError(f"layout must be one of {', '.join(METHODS)}, got {method!r}")
    if method in _NEEDS:
        module, package, extra = _NEEDS[method]
        needed = lack(module, package, extra)
        if needed:
            raise LayoutError(f"the layout {method} needs {needed}")


def placed(units: Tensor, method: str, seed: int = 0) -> NDArray[np.float64]:
    """Place embeddings on a plane. The same embeddings and seed give the same places on the same machine.

    Args:
        units: ``(n, size)``, from :func:`byola_hear.analysis.neighbours.directions`.
        method: one of :data:`METHODS`.
        seed: seed for everything that is random in the method.

    Returns:
        ``(n, 2)`` in [0, 1]. The aspect ratio is kept; the longer side spans the whole range.

    Raises:
        LayoutError: if there is no such method, the package that it needs is missing, or there are too few rows
            or all are the same.
    """
    check_method(method)
    places = METHODS[method](units, seed)
    low, high = places.min(0), places.max(0)
    return (places - (low + high) / 2) / max(float((high - low).max()), 1e-12) + 0.5


def _enough(units: Tensor, method: str) -> None:
    if len(units) < 5:
        raise LayoutError(f"the layout {method} needs at least 5 clips, got {len(units)}; pca takes any number")
    if not units.shape[1]:
        raise LayoutError(f"the layout {method} needs clips that differ, all {len(units)} are the same; pca takes any")
