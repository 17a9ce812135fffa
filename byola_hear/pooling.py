"""Frame features to embeddings: maximum plus mean over time, of a whole clip or of a sliding window.

Both poolings take a clip's frame features in blocks of any size, in order, and give the same result however
they were cut. Only true frames count: a window that reaches beyond an end of the clip is truncated there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor


class ClipPool:
    """Maximum plus mean over all frames of one clip, in constant memory.

    The sum is kept in float64, so that the mean of hours is as good as that of a second.

    Source:
        Niizumi et al., arXiv 2103.06695, section III.

    Example:
        >>> pool = ClipPool()
        >>> pool.add(torch.tensor([[1.0, -1.0]]))
        >>> pool.add(torch.tensor([[3.0, -1.0], [2.0, -4.0]]))
        >>> pool.result()
        tensor([ 5., -3.])
    """

    def __init__(self) -> None:
        self.count = 0
        self._maximum: Tensor | None = None
        self._sum: Tensor | None = None

    def add(self, features: Tensor) -> None:
        """Take the next frames.

        Args:
            features: ``(n_frames, size)``; none at all is allowed.
        """
        if len(features) == 0:
            return
        maximum, total = features.amax(0), features.sum(0, dtype=torch.float32).double()
        self.count += len(features)
        self._maximum = maximum if self._maximum is None else torch.maximum(self._maximum, maximum)
        self._sum = total if self._sum is None else self._sum + total

    def result(self) -> Tensor:
        """The embedding of what came so far.

        Returns:
            ``(size,)`` float32.

        Raises:
            ValueError: if no frame came.
        """
        if self._maximum is None or self._sum is None:
            raise ValueError("there is no frame to pool over")
        return self._maximum.float() + (self._sum / self.count).float()


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


def timestamp_centre(index: int, stride: int, hop_length: int) -> float:
    """Centre of a frame feature, in samples: the middle of the log-mel frames that it covers.

    Args:
        index: of the frame feature.
        stride: log-mel frames to a frame feature.
        hop_length: samples from one log-mel frame to the next.

    Example:
        >>> timestamp_centre(1, 4, 160)  # 55 ms at 16 kHz
        880.0
    """
    return (stride * index + (stride - 1) / 2) * hop_length


def timestamp_count(n_samples: int, stride: int, hop_length: int) -> int:
    """How many frame features of a clip are centred within it, at least one.

    Only the last frame feature can be centred beyond the end; it still counts in its neighbours' windows.

    Args:
        n_samples: length of the clip.
        stride: log-mel frames to a frame feature.
        hop_length: samples from one log-mel frame to the next.

    Example:
        >>> timestamp_count(16000, 4, 160)
        25
    """
    first = timestamp_centre(0, stride, hop_length)
    return 1 + int(max(n_samples - first, 0) // (stride * hop_length))


def timestamps(first: int, last: int, n_samples: int, stride: int, hop_length: int, sample_rate: int) -> Tensor:
    """Times of the timestamp embeddings ``first`` to ``last`` (exclusive).

    Args:
        first: index of the first.
        last: one past the index of the last.
        n_samples: length of the clip: no time lies beyond it.
        stride: log-mel frames to a frame feature.
        hop_length: samples from one log-mel frame to the next.
        sample_rate: Hz.

    Returns:
        ``(last - first,)`` float32 milliseconds, rounded once, from whole samples; nothing accumulates.

    Example:
        >>> timestamps(0, 3, 16000, 4, 160, 16000)
        tensor([15., 55., 95.])
    """
    index = torch.arange(first, last, dtype=torch.float64)
    samples = (index * stride + (stride - 1) / 2) * hop_length
    return (samples.clamp(max=n_samples) * 1000.0 / sample_rate).float()
