"""Random crops of a log-mel cache. One gather draws a whole batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from byola_hear.models.frontend import LOG_OFFSET
from byola_hear.pretraining.data.cache import LogMelCache


def row_weights(lengths: Tensor, crop_frames: int) -> Tensor:
    """Compute how often each row is drawn: in proportion to its length, but at least to that of a crop.

    Args:
        lengths: ``(n_rows,)`` length of each row, in frames.
        crop_frames: length of a crop, in frames.

    Returns:
        ``(n_rows,)`` float64 cumulative weights, ending at 1.
    """
    weights = lengths.clamp(min=crop_frames).double().cumsum(0)
    return weights / weights[-1]


def draw_crops(
    cache: LogMelCache, weights: Tensor, n_crops: int, crop_frames: int, generator: torch.Generator
) -> Tensor:
    """Draw random crops.

    Args:
        cache: cache to draw from.
        weights: weights from :func:`row_weights`.
        n_crops: number of crops.
        crop_frames: length of a crop, in frames.
        generator: source of randomness, on the CPU.

    Returns:
        ``(n_crops, 1, n_mels, crop_frames)`` float32 log-mel on the cache's device. A row shorter than a crop is placed
        at random in silence.
    """
    device = cache.frames.device
    position = torch.rand(n_crops, generator=generator, dtype=torch.float64).to(device)
    offset = torch.rand(n_crops, generator=generator, dtype=torch.float64).to(device)
    row = torch.searchsorted(weights, position).clamp(max=len(weights) - 1)
    slack = cache.lengths[row] - crop_frames
    # Negative for a row that is shorter than the crop, and so begins inside it.
    first = torch.where(slack >= 0, (offset * (slack + 1)).floor(), -(offset * (1 - slack)).floor()).long()
    frame = first[:, None] + torch.arange(crop_frames, device=device)
    inside = (frame >= 0) & (frame < cache.lengths[row][:, None])
    index = (cache.starts[row][:, None] + frame).clamp(0, len(cache.frames) - 1)
    crops = cache.frames[index.flatten()].float().reshape(n_crops, crop_frames, -1)
    silence = math.log(LOG_OFFSET)
    return torch.where(inside[:, :, None], crops, silence).transpose(1, 2)[:, None]


def crop_statistics(cache: LogMelCache, n_crops: int, crop_frames: int, seed: int) -> tuple[float, float]:
    """Compute the mean and standard deviation of the log-mel values of random crops.

    Args:
        cache: cache to draw from.
        n_crops: number of crops.
        crop_frames: length of a crop, in frames.
        seed: seed of the draw.

    Returns:
        Mean and standard deviation over all bands together, as in BYOL-A.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = row_weights(cache.lengths, crop_frames)
    total = squares = torch.zeros((), dtype=torch.float64)
    count = 0
    for done in range(0, n_crops, 500):
        crops = draw_crops(cache, weights, min(500, n_crops - done), crop_frames, generator).double()
        total, squares, count = total + crops.sum(), squares + crops.square().sum(), count + crops.numel()
    mean = total / count
    return float(mean), float((squares / count - mean.square()).clamp(min=1e-12).sqrt())
