"""The times of frame features, which are those of timestamp embeddings."""

from __future__ import annotations

import torch
from torch import Tensor


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
