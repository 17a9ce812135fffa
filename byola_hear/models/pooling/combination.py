"""How frame features become one embedding: the only definition of maximum plus mean.

The pools of this folder keep the maximum and the mean of their frames in their own ways: over a clip that arrives in
blocks, over a sliding window, over windows of any length. What becomes of the two is decided here, by the name that a
:class:`~byola_hear.models.config.ModelConfig` gives.

Source:
    Maximum plus mean: Niizumi et al., arXiv 2103.06695, section III.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: The pooling of BYOL-A, and of every configuration that names none.
MAX_MEAN = "max+mean"
#: The mean alone.
MEAN = "mean"
#: Every pooling by name: a function of the frames' maximum and mean, both ``(..., size)``.
POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {MAX_MEAN: torch.add, MEAN: lambda _maximum, mean: mean}


def combination(pooling: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Find what a pooling makes of the frames' maximum and mean.

    Raises:
        ValueError: if there is no pooling of this name.

    Example:
        >>> combination("max+mean")(torch.tensor([3.0]), torch.tensor([1.5]))
        tensor([4.5000])
    """
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise ValueError(f"pooling must be {' or '.join(map(repr, POOLINGS))}, got {pooling!r}")
    return POOLINGS[pooling]


def pooled(features: Tensor, pooling: str, counts: Tensor | None = None) -> Tensor:
    """Pool whole clips at once. The result is differentiable.

    Args:
        features: ``(..., n_frames, size)``.
        pooling: its name, from :attr:`byola_hear.models.config.ModelConfig.pooling`.
        counts: ``(...)`` true number of frames of each clip, at least 1; None if no clip is padded.

    Returns:
        ``(..., size)``.

    Example:
        >>> features = torch.tensor([[1.0, -1.0], [3.0, -1.0], [2.0, -4.0]])
        >>> pooled(features, "max+mean")
        tensor([ 5., -3.])
        >>> pooled(features[None], "max+mean", torch.tensor([2]))
        tensor([[ 5., -2.]])
    """
    if counts is None:
        return combination(pooling)(features.amax(dim=-2), features.mean(dim=-2))
    beyond = torch.arange(features.shape[-2], device=features.device) >= counts[..., None]
    maximum = features.masked_fill(beyond[..., None], -torch.inf).amax(dim=-2)
    total = features.masked_fill(beyond[..., None], 0).sum(dim=-2)
    return combination(pooling)(maximum, total / counts[..., None])
