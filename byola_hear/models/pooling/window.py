"""Frame features to embeddings along time: maximum plus mean over a window that slides along a clip.

The frame features come in blocks of any size, in order, and the result is the same however they were cut. Only true
frames count: a window that reaches beyond an end of the clip is truncated there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor


def slide(x: Tensor, width: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combine each run of ``width`` consecutive rows, by doubling: about ``2 log2(width)`` passes.

    Unlike a difference of cumulative sums it adds only what is in the window, so nothing drifts or cancels,
    however long the clip, and each result depends on its own rows alone, to the last bit.

    Args:
        x: ``(n, size)``.
        width: rows to a run, from 1 to ``n``.
        combine: an associative function of two tensors of one shape, ``torch.add`` or ``torch.maximum``.

    Returns:
        ``(n - width + 1, size)``: row ``i`` combines rows ``i`` to ``i + width - 1``.

    Example:
        >>> slide(torch.tensor([[1.0], [2.0], [3.0], [4.0]]), 3, torch.add).T
        tensor([[6., 9.]])
    """
    n_out = len(x) - width + 1
    result: Tensor | None = None
    offset, span = 0, 1
    # Here x[i] combines the original rows i to i + span - 1; runs are put together by the bits of the width.
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
    """``(n, size)`` to ``(before + n + after, size)`` with rows of ``value`` on both sides."""
    if before == after == 0:
        return features
    return torch.nn.functional.pad(features, (0, 0, before, after), value=value)


class WindowPool:
    """Maximum plus mean over a window that slides along one clip, frame by frame.

    Args:
        width: frames to a window, odd; truncated where it reaches beyond the clip.

    Raises:
        ValueError: if ``width`` is not odd and positive.

    Example:
        >>> pool = WindowPool(3)
        >>> pool.add(torch.tensor([[1.0], [2.0], [6.0]])).T
        tensor([[3.5000, 9.0000]])
        >>> pool.finish().T
        tensor([[10.]])
    """

    def __init__(self, width: int) -> None:
        if width < 1 or width % 2 == 0:
            raise ValueError(f"expected an odd, positive window width, got {width}")
        self.half = width // 2
        self.width = width
        self._kept: Tensor | None = None  # frames that windows to come still reach
        self._done = 0  # how many of the kept frames had their own windows pooled

    def add(self, features: Tensor) -> Tensor:
        """Take the next frames, give the windows that they complete.

        Args:
            features: ``(n_frames, size)``; none at all is allowed.

        Returns:
            ``(n_windows, size)`` float32, of the windows centred on the next frames, ``width // 2`` behind.
        """
        frames = features.float() if self._kept is None else torch.cat([self._kept, features.float()])
        return self._pool(frames, len(frames) - self.half)

    def finish(self) -> Tensor:
        """The windows that reach beyond the clip's end.

        Returns:
            ``(n_windows, size)`` float32, of the windows centred on the remaining frames.

        Raises:
            ValueError: if no frame came.
        """
        if self._kept is None:
            raise ValueError("there is no frame to pool over")
        return self._pool(self._kept, len(self._kept))

    def windows(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """All windows of a clip, as soon as they are complete.

        Args:
            blocks: ``(n_frames_i, size)`` each, the clip's frames in order.

        Yields:
            ``(n_windows_i, size)`` float32; sometimes none.
        """
        for block in blocks:
            yield self.add(block)
        yield self.finish()

    def _pool(self, frames: Tensor, stop: int) -> Tensor:
        """Windows centred on frames ``self._done`` to ``stop``; keeps what later ones need."""
        first, half = self._done, self.half
        if stop <= first:
            self._kept = frames
            return frames[:0]
        # Fewer frames before the first centre than half a window: the clip begins there. Likewise at the end.
        before = max(half - first, 0)
        after = max(stop + half - len(frames), 0)
        begin = max(first - half, 0)
        reach = frames[begin : stop + half]
        total = slide(_extended(reach, before, after, 0.0), self.width, torch.add)
        maximum = slide(_extended(reach, before, after, float("-inf")), self.width, torch.maximum)
        centre = torch.arange(first, stop, device=frames.device)
        count = (centre + half).clamp(max=len(frames) - 1) - (centre - half).clamp(min=0) + 1
        drop = max(stop - half, 0)
        # A copy, so that a whole block is not held for the sake of its last frames.
        self._kept = frames[drop:].clone()
        self._done = stop - drop
        return maximum + total / count[:, None]
