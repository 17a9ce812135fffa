"""What a search finds: the share of the nearest clips with the query's label, by two cosines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmark.studies.measures import neighbours as share_of_neighbours
from byola_hear.analysis.search import COSINES, Space

#: Raise it when a change here, or in the package's search, changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1
#: Sizes of small collections: random clips of a task.
SIZES = (20, 50, 200)
#: Small collections of each size.
DRAWS = 20
#: Weights of a sound to stay away from; 0 does not stay away.
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)
#: Hits whose labels are compared with the query's, where a sound is to stay away from.
HITS = 10


def measured(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Measure searches in a collection: every clip is a query, and hits are of other groups.

    Args:
        features: ``(n_clips, n_features)`` embeddings of the collection.
        labels: ``(n_clips,)``.
        groups: ``(n_clips,)``, speakers or recordings.
        seed: seed of the small collections.

    Returns:
        Numbers with these names:

        - ``measure``: ``neighbours`` of the whole collection, ``small`` for random parts of it, ``away`` for hits that
          stay away from the wrong clip which is most like the query.
        - ``cosine``: ``standardised`` or ``plain``.
        - ``clips``: size of the collection.
        - ``draw``: which small collection; 0 for the others.
        - ``weight``: of the sound to stay away from; 0 for the others.
        - ``share``: of the nearest clips that have the query's label, %.
    """
    rng = np.random.default_rng(seed)
    found: list[dict[str, Any]] = []
    for size in (len(labels), *(size for size in SIZES if size < len(labels))):
        whole = size == len(labels)
        for draw in range(1 if whole else DRAWS):
            rows = np.arange(size) if whole else rng.choice(len(labels), size, replace=False)
            if len(np.unique(groups[rows])) < 2:
                continue
            about = {"measure": "neighbours" if whole else "small", "clips": size, "draw": draw, "weight": 0.0}
            for cosine in COSINES:
                units = _units(features[rows], cosine)
                share = share_of_neighbours(units, labels[rows], groups[rows])
                found.append({**about, "cosine": cosine, "share": share})
    for cosine in COSINES:
        for weight, share in away(_units(features, cosine), labels, groups):
            about = {"measure": "away", "cosine": cosine, "clips": len(labels), "draw": 0}
            found.append({**about, "weight": weight, "share": share})
    return found


def _units(features: np.ndarray, cosine: str) -> np.ndarray:
    """The vectors of length 1 that a search compares, as of a table with these rows."""
    return (Space.fitted(features) if cosine == "standardised" else Space()).units(features)


def away(units: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> Iterator[tuple[float, float]]:
    """Weights of a wrong sound, and the share of ten hits with the query's label, %.

    The sound to stay away from is the clip of another label that is most like the query. It is no hit itself. The score
    is that of :meth:`byola_hear.analysis.search.Space.direction`.

    Args:
        units: ``(n, size)`` of length 1.
        labels: ``(n,)``.
        groups: ``(n,)``.

    Example:
        >>> angles = np.radians([0, 10, 20, 5, 60, 70])
        >>> units = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
        >>> [round(share) for _, share in away(units, np.array(list("aaabbb")), np.arange(6).astype(str))]
        [50, 50, 50, 50, 50]
    """
    cosines = units @ units.T
    apart = groups[:, None] != groups
    wrong = np.where(apart & (labels[:, None] != labels), cosines, -np.inf).argmax(1)
    offered = apart.copy()
    offered[np.arange(len(units)), wrong] = False
    for weight in WEIGHTS:
        scores = np.where(offered, cosines - np.float32(weight) * cosines[wrong], -np.inf)
        nearest = np.argpartition(-scores, min(HITS, len(labels) - 1) - 1, axis=1)[:, :HITS]
        hits = np.take_along_axis(offered, nearest, 1)
        yield weight, 100 * float((labels[nearest] == labels[:, None])[hits].mean())
