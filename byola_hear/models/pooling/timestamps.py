"""Times of frame features and timestamp embeddings."""

from __future__ import annotations

import torch
from torch import Tensor


def timestamp_centre(index: int, stride: int, hop_length: int) -> float:
    """Centre of a frame feature: the middle of the log-mel frames that it covers.

    Args:
        index: index of the frame feature.
        stride: log-mel frames per frame feature.
        hop_length: samples from one log-mel frame to the next.

    Returns:
        The centre in samples.

    Example:
        >>> timestamp_centre(1, 4, 160)  # 55 ms at 16 kHz
        880.0
    """
    return (stride * index + (stride - 1) / 2) * hop_length


def timestamp_count(n_samples: int, stride: int, hop_length: int) -> int:
    """Number of frame features of a clip that are centred within it, at least one.

    Only the last frame feature can be centred beyond the clip's end. It has no timestamp, but its neighbours' windows
    include it.

    Args:
        n_samples: length of the clip.
        stride: log-mel frames per frame feature.
        hop_length: samples from one log-mel frame to the next.

    Returns:
        The number of timestamps.

    Example:
        >>> timestamp_count(16000, 4, 160)
        25
    """
    first = timestamp_centre(0, stride, hop_length)
    return 1 + int(max(n_samples - first, 0) // (stride * hop_length))


def timestamps(first: int, last: int, n_samples: int, stride: int, hop_length: int, sample_rate: int) -> Tensor:
    """Times of the timestamp embeddings ``first`` to ``last`` (exclusive).

    Args:
        first: index of the first timestamp.
        last: one past the index of the last timestamp.
        n_samples: length of the clip; no time lies beyond it.
        stride: log-mel frames per frame feature.
        hop_length: samples from one log-mel frame to the next.
        sample_rate: Hz.

    Returns:
        ``(last - first,)`` float32, milliseconds. Each is computed from samples and rounded once, so errors do not
        accumulate.

    Example:
        >>> timestamps(0, 3, 16000, 4, 160, 16000)
        tensor([15., 55., 95.])
    """
    index = torch.arange(first, last, dtype=torch.float64, device="cpu")
    samples = (index * stride + (stride - 1) / 2) * hop_length
    return (samples.clamp(max=n_samples) * 1000.0 / sample_rate).float()
