"""Dropout in training on a CPU, where most of its time usually goes into random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.pretraining.byol.integers import as_integers


class _Dropout(torch.autograd.Function):
    """Values times zeros and ones, times a number: ``(...)``, int16 ``(...)`` → ``(...)``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return _kept(x, kept, scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _kept(gradients[0], ctx.saved_tensors[0], ctx.scale), None, None


def _kept(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    return (as_integers(x) * kept).view(x.dtype).mul_(scale)


def quick_dropout(x: Tensor, probability: float) -> Tensor:
    """Set values to zero at random and scale the others, as :func:`torch.nn.functional.dropout` does in training.

    One draw of 64 bits decides on four values, so the probability is exact to 1/65536. PyTorch's generator only draws
    the seed.

    Args:
        x: any shape, bfloat16 or float32.
        probability: probability of zero, from 0 to below 1.

    Returns:
        The same shape.
    """
    n_zero = round(probability * 65536)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    draws = torch.from_numpy(np.random.PCG64DXSM(seed).random_raw((x.numel() + 3) // 4).view(np.int16))
    kept = draws[: x.numel()].view(x.shape)
    torch.ge(kept, n_zero - 32768, out=kept)
    return _Dropout.apply(x, kept, 65536 / (65536 - n_zero))
