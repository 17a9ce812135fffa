"""Training batches that differ from epoch to epoch: mixed windows, masked bands and times.

Source:
    mixup: Zhang et al., arXiv 1710.09412; masks: Park et al., SpecAugment, arXiv 1904.08779.
"""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.finetuning.recipe import Recipe
from byola_hear.training.mixing import mixup


def mixed(
    log_mel: Tensor, sizes: Tensor, truth: Tensor, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each window with another one of its batch, in power; the labels are mixed in the same shares.

    Args:
        log_mel: ``(batch, 1, n_mels, time)``, not normalised.
        sizes: ``(batch, ...)`` true lengths.
        truth: ``(batch, n_classes)`` in [0, 1].
        recipe: the largest share.
        generator: source of randomness, on the CPU.

    Returns:
        The same three. A mixed window is as long as the longer one of the two.
    """
    share = recipe.mixup * torch.rand(len(log_mel), generator=generator)
    other = torch.randperm(len(log_mel), generator=generator)
    if recipe.mixup == 0:
        return log_mel, sizes, truth
    weight = share[:, None]
    return (
        mixup(log_mel, log_mel[other], share),
        torch.maximum(sizes, sizes[other]),
        (1 - weight) * truth + weight * truth[other],
    )


def masked(normalised: Tensor, lengths: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Set a band of each window, and a part of its time, to the mean.

    Args:
        normalised: ``(batch, 1, n_mels, time)`` normalised log-mel.
        lengths: ``(batch,)`` true lengths.
        recipe: the largest widths.
        generator: source of randomness, on the CPU.

    Returns:
        The same shape.
    """
    n, (n_mels, time) = len(normalised), normalised.shape[-2:]
    random = torch.rand(n, 4, generator=generator)
    bands = _inside(random[:, :2], recipe.band_mask, torch.full((n,), n_mels), n_mels)
    times = _inside(random[:, 2:], recipe.time_mask, lengths, time)
    return normalised.masked_fill(bands[:, None, :, None] | times[:, None, None, :], 0.0)


def _inside(random: Tensor, widest: float, lengths: Tensor, size: int) -> Tensor:
    """``(n, size)``: which places are in a random range of at most a share of ``lengths``."""
    width = (random[:, 0] * (widest * lengths + 1)).floor().clamp(max=lengths)
    first = (random[:, 1] * (lengths - width + 1)).floor()
    place = torch.arange(size)
    return (place >= first[:, None]) & (place < (first + width)[:, None])
