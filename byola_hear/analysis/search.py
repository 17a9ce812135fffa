"""The rows of a collection that are most like some sounds, by exact cosine, whatever the size of the collection.

Two kinds of cosine are available:

- ``"standardised"``: each dimension is divided by the square root of its standard deviation over the collection, and
  the first principal components are compared, as in :mod:`byola_hear.analysis.neighbours`. What all clips share then
  distinguishes none of them.
- ``"plain"``: the cosine of the embeddings themselves. It does not depend on the collection.

``python -m benchmark search`` compares them. The choices below were made on its validation parts.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.analysis.neighbours import comparable_axes

#: Kinds of cosine, the default first.
COSINES = ("standardised", "plain")
#: Rows of a collection from which the standardisation is computed. 1000 were as good as 1600 or 2000.
SAMPLE_ROWS = 2048
#: Rows that a collection needs for a standardisation. With 20, it was better than the plain cosine for every network.
LEAST_ROWS = 20
#: Weight of the sounds to stay away from, the best of 0.1, 0.25, 0.5 and 1 for every network. With the wrong clip that
#: is most like the query as the only such sound, it made 2 to 3 more of a hundred hits right; a weight of 1 made 7 to
#: 11 fewer right.
EXCLUDED_WEIGHT = 0.25
#: Rows that are scored at a time; few enough to stay in the cache while they are used twice.
_BLOCK_ROWS = 1024
#: Segments of a file that are this close touch each other, s.
_TOUCH_S = 1e-3


@dataclass(frozen=True)
class Space:
    """The vectors whose cosines are compared: ``(embedding - mean) @ axes``, or the embeddings themselves.

    Attributes:
        mean: ``(size,)`` float32; None for the embeddings themselves.
        axes: ``(size, k)`` float32; None for the embeddings themselves.
    """

    mean: NDArray[np.float32] | None = None
    axes: NDArray[np.float32] | None = None

    @classmethod
    def fitted(cls, sample: NDArray[np.float32], seed: int = 0) -> Space:
        """Compute the standardisation of a collection.

        Args:
            sample: ``(n, size)`` rows of the collection.
            seed: seed for the random start of the search for the components.

        Returns:
            The space.
        """
        mean, axes = comparable_axes(torch.from_numpy(sample), seed)
        return cls(mean.numpy(), axes.numpy())

    def vectors(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map embeddings ``(n, size)`` to the vectors that are compared."""
        if self.mean is None or self.axes is None:
            return embeddings
        return np.asarray((embeddings - self.mean) @ self.axes, np.float32)

    def units(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vectors of embeddings ``(n, size)``, of length 1; NaN if an embedding holds NaN or infinity."""
        with np.errstate(over="ignore", invalid="ignore"):
            # In blocks that stay in the cache.
            blocks = range(0, len(embeddings), _BLOCK_ROWS)
            return np.concatenate([_units(self.vectors(embeddings[first : first + _BLOCK_ROWS])) for first in blocks])

    def direction(
        self, queries: NDArray[np.float32], excluded: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Combine sounds to one vector. Its product with a unit vector is that vector's score.

        Args:
            queries: ``(n, size)`` embeddings of sounds to look for.
            excluded: embeddings of sounds to stay away from.

        Returns:
            ``(k,)``: the mean of the queries' unit vectors, less :data:`EXCLUDED_WEIGHT` times that of the excluded.
        """
        direction = np.asarray(_units(self.vectors(queries)).mean(0), np.float32)
        if excluded is not None and len(excluded):
            direction -= np.float32(EXCLUDED_WEIGHT) * _units(self.vectors(excluded)).mean(0)
        return direction

    def scores(self, embeddings: NDArray[np.float32], direction: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score embeddings.

        Args:
            embeddings: ``(n, size)``.
            direction: from :meth:`direction`.

        Returns:
            ``(n,)``: for one query, the cosine; for several, the mean of the cosines with the queries; less
            :data:`EXCLUDED_WEIGHT` times the mean of the cosines with the excluded sounds. NaN if an embedding holds
            NaN or infinity, 0 if all of it is 0.
        """
        scores = np.empty(len(embeddings), np.float32)
        for first in range(0, len(embeddings), _BLOCK_ROWS):
            vectors = self.vectors(embeddings[first : first + _BLOCK_ROWS])
            with np.errstate(over="ignore", invalid="ignore"):
                norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
                cosines = vectors @ direction / np.maximum(norms, np.finfo(np.float32).tiny)
            scores[first : first + _BLOCK_ROWS] = np.where(np.isfinite(norms), cosines, np.nan)
        return scores


def _units(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors ``(n, k)`` to length 1; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return scaled


@dataclass(frozen=True)
class Hit:
    """A segment of a file that is like the query.

    Attributes:
        file: the file's number.
        start: s from the file's beginning.
        end: s.
        score: of the best row in the segment.
        rows: how many rows it has.
    """

    file: int
    start: float
    end: float
    score: float
    rows: int


def best(
    scores: NDArray[np.float32],
    files: NDArray[np.integer[Any]],
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    count: int,
    merge: bool = True,
) -> list[Hit]:
    """Find the best rows, and merge those of one file that touch or overlap.

    Rows are taken from the best on until they make ``count`` hits. If they never do, as in a small collection, they are
    taken until there are most hits; more rows would only join them. All rows of a hit thus score at least as much as
    the last hit.

    Args:
        scores: ``(n,)``.
        files: ``(n,)``, the number of each row's file.
        starts: ``(n,)`` s.
        ends: ``(n,)`` s.
        count: number of hits.
        merge: whether to merge.

    Returns:
        At most ``count`` hits, the best first. Equal scores keep the order of the rows.

    Example:
        >>> import numpy as np
        >>> scores = np.array([0.5, 0.9, 0.8, 0.7], np.float32)
        >>> times = np.arange(4.0)
        >>> [(hit.start, hit.end, hit.rows) for hit in best(scores, np.zeros(4, int), times, times + 1, 1)]
        [(1.0, 2.0, 1)]
        >>> [(hit.start, hit.end, hit.rows) for hit in best(scores, np.array([0, 0, 0, 1]), times, times + 1, 2)]
        [(1.0, 3.0, 2), (3.0, 4.0, 1)]
    """
    hits, most, enough = _Hits(merge), 0, 0
    for taken, row in enumerate(_descending(scores, count), 1):
        hits.add(int(files[row]), float(starts[row]), float(ends[row]), float(scores[row]))
        if len(hits) > most:
            most, enough = len(hits), taken
        if most == count:
            return hits.ordered()
    hits = _Hits(merge)
    for row in islice(_descending(scores, count), enough):
        hits.add(int(files[row]), float(starts[row]), float(ends[row]), float(scores[row]))
    return hits.ordered()


class _Hits:
    """Segments of files, to which rows are added from the best on.

    Args:
        merge: whether rows of one file that touch or overlap make one hit.
    """

    def __init__(self, merge: bool) -> None:
        self.merge = merge
        #: Of each file, its hits with their starts and the order in which they came, sorted by start.
        self.of_file: dict[int, list[tuple[float, int, Hit]]] = {}
        self.count = 0
        self.order = 0

    def __len__(self) -> int:
        return self.count

    def add(self, file: int, start: float, end: float, score: float) -> None:
        """Add a row. No row before it scored less."""
        here = self.of_file.setdefault(file, [])
        order, hit = self.order, Hit(file, start, end, score, 1)
        self.order += 1
        if self.merge:
            # No two hits touch each other, so those that touch the row lie next to each other.
            first = last = bisect_right(here, (start, self.order))
            while first and here[first - 1][2].end >= start - _TOUCH_S:
                first -= 1
            while last < len(here) and here[last][0] <= end + _TOUCH_S:
                last += 1
            touching = here[first:last]
            del here[first:last]
            self.count -= len(touching)
            for _, earlier, other in touching:
                order = min(order, earlier)
                start, end = min(hit.start, other.start), max(hit.end, other.end)
                hit = Hit(file, start, end, max(hit.score, other.score), hit.rows + other.rows)
        insort(here, (hit.start, order, hit))
        self.count += 1

    def ordered(self) -> list[Hit]:
        """All hits, the best first."""
        every = [(order, hit) for hits in self.of_file.values() for _, order, hit in hits]
        return [hit for _, hit in sorted(every, key=lambda item: item[0])]


def _descending(scores: NDArray[np.float32], count: int) -> Iterable[int]:
    """Places of the scores from the largest on; the first ones are found without sorting all."""
    n_rows, given, step = len(scores), 0, max(64, 4 * count)
    while given < n_rows:
        step = min(n_rows, step * 4)
        # Of scores that equal the last one, those that come first.
        least = np.partition(scores, n_rows - step)[n_rows - step]
        places = np.flatnonzero(scores >= least)
        order = places[np.argsort(-scores[places], kind="stable")]
        yield from order[given:].tolist()
        given = len(order)
