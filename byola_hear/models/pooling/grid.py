"""Windows of any length and hop over frame features, for tables with a row every second or every 0.1 s.

A window is a stretch of sound; the frame features centred in it are pooled, maximum plus mean, as for a whole clip.
A window too short to hold a frame's centre takes the frame nearest to its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Where windows and frame features lie in a clip, in samples.

    Attributes:
        window: length of a window.
        hop: from one window to the next.
        origin: where the first window begins; before 0 it is truncated at the clip's beginning.
        first_centre: centre of the first frame feature.
        frame: from one frame feature to the next.
        centred: whether windows are centred on times in the clip, rather than laid over it from its beginning.
    """

    window: float
    hop: float
    origin: float
    first_centre: float
    frame: float
    centred: bool = False

    def start(self, index: int) -> float:
        """Where a window begins, not yet truncated."""
        return self.origin + index * self.hop

    def frames(self, index: int) -> tuple[int, int]:
        """First and one past the last frame feature of a window, not yet truncated at the clip's end."""
        start = self.start(index)
        first = max(math.ceil((start - self.first_centre) / self.frame), 0)
        last = math.ceil((start + self.window - self.first_centre) / self.frame)
        if last > first:
            return first, last
        nearest = max(round((start + self.window / 2 - self.first_centre) / self.frame), 0)
        return nearest, nearest + 1

    def count(self, n_samples: int) -> int:
        """How many windows a clip has, at least one.

        Centred windows: as many as have their centres in the clip. Others: as many as it takes to cover the clip.

        Example:
            >>> Grid(window=3, hop=1, origin=0, first_centre=0, frame=1).count(10)  # 0-3, 1-4 … 7-10
            8
        """
        if self.centred:
            return 1 + max(math.floor((n_samples - self.origin - self.window / 2) / self.hop + 1e-9), 0)
        covering = 1 + math.ceil((n_samples - self.window) / self.hop - 1e-9)
        begun = math.ceil(n_samples / self.hop - 1e-9)  # fewer where there are gaps between windows
        return max(min(covering, begun), 1)


class GridPool:
    """Pools one clip's frame features, which come in blocks, over the windows of a grid.

    The work grows with window / hop: each window is pooled by itself.

    Args:
        grid: the windows.

    Example:
        >>> pool = GridPool(Grid(window=2, hop=2, origin=0, first_centre=0.5, frame=1))
        >>> features = torch.tensor([[1.0], [2.0], [6.0]])
        >>> [(index, pooled.T) for index, pooled in pool.add(features, n_samples=3)]
        [(0, tensor([[3.5000]]))]
        >>> [(index, pooled.T) for index, pooled in pool.finish(n_samples=3)]
        [(1, tensor([[12.]]))]
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._kept: list[Tensor] = []  # frames that windows to come still need, in pieces
        self._first = 0  # index of the first frame kept
        self._seen = 0  # frames taken
        self._given = 0  # windows given

    def add(self, features: Tensor, n_samples: int) -> Iterator[tuple[int, Tensor]]:
        """Take the next frames, give the windows that they complete.

        Args:
            features: ``(n_frames, size)``.
            n_samples: samples of the clip that are known to exist.

        Yields:
            index of the first of some windows and ``(k, size)`` float32.
        """
        self._kept.append(features.float())
        self._seen += len(features)
        stop = self._given
        while self.grid.frames(stop)[1] <= self._seen and self.grid.start(stop) + self.grid.window <= n_samples:
            stop += 1
        yield from self._give(stop)

    def finish(self, n_samples: int) -> Iterator[tuple[int, Tensor]]:
        """The windows that reach to the clip's end or beyond.

        Args:
            n_samples: length of the clip.

        Yields:
            as :meth:`add`.

        Raises:
            ValueError: if no frame came.
        """
        if not self._kept:
            raise ValueError("there is no frame to pool over")
        yield from self._give(self.grid.count(n_samples))

    def _give(self, stop: int) -> Iterator[tuple[int, Tensor]]:
        """Windows up to ``stop``; drops the frames that no later one needs."""
        if stop <= self._given:
            return
        # Joined only here: with every block, a long window would be copied again and again.
        frames = torch.cat(self._kept)
        self._kept = [frames]
        pooled = []
        for index in range(self._given, stop):
            first, last = (edge - self._first for edge in self.grid.frames(index))
            # The clip's last frame stands for whatever would lie beyond it.
            inside = frames[min(first, len(frames) - 1) : max(min(last, len(frames)), 1)]
            pooled.append(inside.amax(0) + inside.sum(0) / len(inside))
        given, self._given = self._given, stop
        drop = min(self.grid.frames(stop)[0] - self._first, len(frames) - 1)
        if drop > 0:
            # A copy, so that a whole block is not held for the sake of its last frames.
            self._kept = [frames[drop:].clone()]
            self._first += drop
        yield given, torch.stack(pooled)
