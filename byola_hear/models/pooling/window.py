"""Frame features to embeddings along time, over a window that slides along a clip frame by frame.

The frame features arrive in order, in blocks of any size, and the result does not depend on where the cuts are. A
window that reaches beyond the clip's start or end is truncated there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from byola_hear.models.pooling.combination import combination


def slide(x: Tensor, width: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combine each run of ``width`` consecutive rows, in about ``2 log2(width)`` passes.

    Unlike a difference of cumulative sums, this adds only the rows of a window. So nothing drifts or cancels in long
    clips, and each result depends on its own rows alone, to the last bit.

    Args:
        x: ``(n, size)``.
        width: rows in a run, from 1 to ``n``.
        combine: an associative function of two tensors of one shape, such as ``torch.add`` or ``torch.maximum``.

    Returns:
        ``(n - width + 1, size)``: row ``i`` combines rows ``i`` to ``i + width - 1``.

    Example:
        >>> slide(torch.tensor([[1.0], [2.0], [3.0], [4.0]]), 3, torch.add).T
        tensor([[6., 9.]])
    """
    n_out = len(x) - width + 1
    result: Tensor | None = None
    offset, span = 0, 1
    # Here x[i] combines the original rows i to i + span - 1. A run is composed of spans, one for each bit of the width.
    while True:
        if width & span:
            piece = x[offset : offset + n_out]
            result = piece if result is None else combine(result, piece)
            offset += span
        if span * 2 > width:
            return x[:n_out] if result is None else result
        x = combine(x[:-span], x[span:])
        span *= 2


def _extended(features: Tensor, before: int, after: int, value: float) -> Tensor:
    """Extend ``(n, size)`` to ``(before + n + after, size)`` by rows of ``value``."""
    if before == after == 0:
        return features
    return torch.nn.functional.pad(features, (0, 0, before, after), value=value)


class WindowPool:
    """Pools a window that slides along one clip, frame by frame.

    Args:
        width: frames in a window, odd.
        pooling: the model's :attr:`~byola_hear.models.config.ModelConfig.pooling`.

    Raises:
        ValueError: if ``width`` is not odd and positive, or there is no such pooling.

    Example:
        >>> pool = WindowPool(3, "max+mean")
        >>> pool.add(torch.tensor([[1.0], [2.0], [6.0]])).T
        tensor([[3.5000, 9.0000]])
        >>> pool.finish().T
        tensor([[10.]])
    """

    def __init__(self, width: int, pooling: str) -> None:
        if width < 1 or width % 2 == 0:
            raise ValueError(f"expected an odd, positive window width, got {width}")
        self.half = width // 2
        self.width = width
        self._combined = combination(pooling)
        self._kept: Tensor | None = None  # frames that later windows reach
        self._done = 0  # number of kept frames whose own windows are finished

    def add(self, features: Tensor) -> Tensor:
        """Take the next frame features and return the windows that they complete.

        Args:
            features: ``(n_frames, size)``; may be empty.

        Returns:
            ``(n_windows, size)`` float32, the windows centred on the next frames, ``width // 2`` frames behind.
        """
        frames = features.float() if self._kept is None else torch.cat([self._kept, features.float()])
        return self._pool(frames, len(frames) - self.half)

    def finish(self) -> Tensor:
        """Return the windows that reach beyond the clip's end.

        Returns:
            ``(n_windows, size)`` float32, the windows centred on the remaining frames.

        Raises:
            ValueError: if there was no frame feature.
        """
        if self._kept is None:
            raise ValueError("expected at least one frame to pool, got none")
        return self._pool(self._kept, len(self._kept))

    def windows(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield all windows of a clip as soon as they are complete.

        Args:
            blocks: ``(n_frames_i, size)`` each, the clip's frame features in order.

        Yields:
            ``(n_windows_i, size)`` float32; may be empty.
        """
        for block in blocks:
            yield self.add(block)
        yield self.finish()

    def _pool(self, frames: Tensor, stop: int) -> Tensor:
        """Pool the windows centred on frames ``self._done`` to ``stop``, and keep the frames that later ones need."""
        first, half = self._done, self.half
        if stop <= first:
            self._kept = frames
            return frames[:0]
        # Where fewer frames than half a window are left on one side of a centre, the clip begins or ends.
        before = max(half - first, 0)
        after = max(stop + half - len(frames), 0)
        begin = max(first - half, 0)
        reach = frames[begin : stop + half]
        total = slide(_extended(reach, before, after, 0.0), self.width, torch.add)
        maximum = slide(_extended(reach, before, after, float("-inf")), self.width, torch.maximum)
        centre = torch.arange(first, stop, device=frames.device)
        count = (centre + half).clamp(max=len(frames) - 1) - (centre - half).clamp(min=0) + 1
        drop = max(stop - half, 0)
        # A copy, so that the last frames do not keep a whole block in memory.
        self._kept = frames[drop:].clone()
        self._done = stop - drop
        return self._combined(maximum, total / count[:, None])
