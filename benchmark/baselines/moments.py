"""Mean and standard deviation over time, of a whole series and of windows."""

from __future__ import annotations

import torch
from torch import Tensor

#: Frames from one window to the next, and on either side of a window's centre: 40 ms and ±180 ms for frames of 10 ms.
HOP_FRAMES, HALF_FRAMES = 4, 18


def moments(series: Tensor) -> Tensor:
    """Mean and standard deviation over time of each row, ``(n_rows, n_frames)`` to ``(2 * n_rows,)``."""
    deviation, mean = torch.std_mean(series, dim=-1, correction=0)
    return torch.cat([mean, deviation])


def windowed_moments(series: Tensor, hop: int = HOP_FRAMES, half: int = HALF_FRAMES) -> Tensor:
    """:func:`moments` of windows around every ``hop``-th frame, truncated at the ends.

    Args:
        series: ``(n_rows, n_frames)``.
        hop: frames from one window to the next.
        half: frames on either side of a window's centre.

    Returns:
        ``(n_windows, 2 * n_rows)`` in the dtype of the series, where ``n_windows = 1 + (n_frames - 1) // hop``.

    Example:
        >>> windowed_moments(torch.tensor([[1.0, 3.0, 5.0]]), hop=2, half=1)
        tensor([[2., 1.],
                [4., 1.]])
    """
    n_frames = series.shape[-1]
    values = series.double()
    # Differences of running sums lose digits, but fewer if the values are around zero.
    offset = values.mean(-1, keepdim=True)
    values = values - offset
    sums = torch.nn.functional.pad(torch.stack([values, values.square()]).cumsum(-1), (1, 0))
    centres = torch.arange(0, n_frames, hop, device=series.device)
    first, last = (centres - half).clamp(min=0), (centres + half + 1).clamp(max=n_frames)
    mean, square = (sums[..., last] - sums[..., first]) / (last - first)
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return torch.cat([mean + offset, deviation]).T.to(series.dtype)
