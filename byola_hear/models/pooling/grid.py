"""Windows of any length and hop over frame features, for tables with a row every second or every 0.1 s.

A window is a segment of sound. The frame features centred in it are pooled as those of a whole clip. A window too short
to contain the centre of a frame feature takes the frame feature nearest to its own centre.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from byola_hear.models.pooling.combination import combination


@dataclass(frozen=True)
class Grid:
    """Where windows and frame features lie in a clip. All lengths are in samples.

    Attributes:
        window: length of a window.
        hop: distance from one window to the next.
        origin: start of the first window; if it is negative, the window is truncated at the clip's start.
        first_centre: centre of the first frame feature.
        frame: distance from one frame feature to the next.
        centred: whether windows are centred on times in the clip. If not, they cover the clip from its start.
    """

    window: float
    hop: float
    origin: float
    first_centre: float
    frame: float
    centred: bool = False

    def start(self, index: int) -> float:
        """Start of a window, before truncation."""
        return self.origin + index * self.hop

    def frames(self, index: int) -> tuple[int, int]:
        """First and one past the last frame feature of a window, before truncation at the clip's end."""
        start = self.start(index)
        first = max(math.ceil((start - self.first_centre) / self.frame), 0)
        last = math.ceil((start + self.window - self.first_centre) / self.frame)
        if last > first:
            return first, last
        nearest = max(round((start + self.window / 2 - self.first_centre) / self.frame), 0)
        return nearest, nearest + 1

    def count(self, n_samples: int) -> int:
        """Number of windows in a clip, at least one.

        Centred windows are those with their centres in the clip; others are as many as cover the clip.

        Args:
            n_samples: length of the clip.

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
    """Pools one clip's frame features, which arrive in blocks, over the windows of a grid.

    Each window is pooled by itself, so the work grows with ``window / hop``.

    Args:
        grid: the windows.
        pooling: the model's :attr:`~byola_hear.models.config.ModelConfig.pooling`.

    Raises:
        ValueError: if there is no such pooling.

    Example:
        >>> pool = GridPool(Grid(window=2, hop=2, origin=0, first_centre=0.5, frame=1), "max+mean")
        >>> features = torch.tensor([[1.0], [2.0], [6.0]])
        >>> [(index, pooled.T) for index, pooled in pool.add(features, n_samples=3)]
        [(0, tensor([[3.5000]]))]
        >>> [(index, pooled.T) for index, pooled in pool.finish(n_samples=3)]
        [(1, tensor([[12.]]))]
    """

    def __init__(self, grid: Grid, pooling: str) -> None:
        self.grid = grid
        self._combined = combination(pooling)
        self._kept: list[Tensor] = []  # frames that later windows need, in pieces
        self._first = 0  # index of the first kept frame
        self._seen = 0  # number of frames taken
        self._given = 0  # number of windows returned

    def add(self, features: Tensor, n_samples: int) -> Iterator[tuple[int, Tensor]]:
        """Take the next frame features and yield the windows that they complete.

        Args:
            features: ``(n_frames, size)``.
            n_samples: number of samples that the clip is known to have.

        Yields:
            The index of the first window, and ``(k, size)`` float32.
        """
        self._kept.append(features.float())
        self._seen += len(features)
        # Where windows are far apart, what lies between them goes. The last frame stays, for a window beyond it.
        needed = min(self.grid.frames(self._given)[0], self._seen - 1)
        while self._first + len(self._kept[0]) <= needed:
            self._first += len(self._kept.pop(0))
        stop = self._given
        while self.grid.frames(stop)[1] <= self._seen and self.grid.start(stop) + self.grid.window <= n_samples:
            stop += 1
        yield from self._give(stop)

    def finish(self, n_samples: int) -> Iterator[tuple[int, Tensor]]:
        """Yield the windows that reach the clip's end.

        Args:
            n_samples: length of the clip.

        Yields:
            As :meth:`add`.

        Raises:
            ValueError: if there was no frame feature.
        """
        if not self._kept:
            raise ValueError("expected at least one frame to pool, got none")
        yield from self._give(self.grid.count(n_samples))

    def _give(self, stop: int) -> Iterator[tuple[int, Tensor]]:
        """Pool the windows up to ``stop``, and drop the frames that no later window needs."""
        if stop <= self._given:
            return
        # Joined only here: joining with every block would copy a long window again and again.
        frames = torch.cat(self._kept)
        self._kept = [frames]
        pooled = []
        for index in range(self._given, stop):
            first, last = (edge - self._first for edge in self.grid.frames(index))
            # A window beyond the last frame takes the last frame.
            inside = frames[min(first, len(frames) - 1) : max(min(last, len(frames)), 1)]
            pooled.append(self._combined(inside.amax(0), inside.sum(0) / len(inside)))
        given, self._given = self._given, stop
        drop = min(self.grid.frames(stop)[0] - self._first, len(frames) - 1)
        if drop > 0:
            # A copy, so that the last frames do not keep a whole block in memory.
            self._kept = [frames[drop:].clone()]
            self._first += drop
        yield given, torch.stack(pooled)
