"""Maximum plus mean over time in training on a CPU, with a gradient that is computed in cache.

The usual gradient of a maximum goes to memory several times: where the maximum is, how often it is there, its share,
and the sum with the mean's share. Here each piece of a batch is read and written once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from byola_hear.models.pooling.combination import MAX_MEAN, combination
from byola_hear.pretraining.byol.integers import as_integers

#: Values per piece and thread: half a megabyte in bfloat16.
PIECE = 2**18


class _MaximumPlusMean(torch.autograd.Function):
    """``(batch, n_frames, size)`` → ``(batch, size)``."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        maximum = features.amax(dim=1)
        ctx.save_for_backward(features, maximum)
        return combination(MAX_MEAN)(maximum, features.mean(dim=1))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        features, maximum = ctx.saved_tensors
        found = torch.empty_like(features)
        size = max(PIECE * torch.get_num_threads() // features[0].numel(), 1)
        pieces = zip(*(each.split(size) for each in (features, maximum, gradients[0], found)))
        for frames, largest, gradient, out in pieces:
            frames, largest, out = as_integers(frames), as_integers(largest)[:, None], as_integers(out)
            torch.eq(frames, largest, out=out)
            # Frames that are equally large share the gradient of the maximum.
            count = out.sum(dim=1, dtype=torch.float32).clamp_min_(1)
            of_mean = gradient.float() / features.shape[1]
            of_both = as_integers((gradient / count + of_mean).to(features.dtype))[:, None]
            of_mean = as_integers(of_mean.to(features.dtype))[:, None]
            # Integers choose between the two: times 1 or 0.
            out.mul_(of_both - of_mean).add_(of_mean)
        return found


def maximum_plus_mean(features: Tensor) -> Tensor:
    """Compute what :func:`~byola_hear.models.pooling.combination.pooled` does for ``max+mean``, with its gradient.

    Args:
        features: ``(batch, n_frames, size)`` bfloat16 or float32, outputs of a ReLU: none is below zero. Where a
            maximum is zero, its gradient may differ, which ReLU does not pass on.

    Returns:
        ``(batch, size)``.
    """
    return _MaximumPlusMean.apply(features)
