"""Floating-point numbers as integers, which a CPU compares and multiplies several times as fast as bfloat16."""

from __future__ import annotations

import torch
from torch import Tensor


def as_integers(x: Tensor) -> Tensor:
    """View bfloat16 or float32 as signed integers of the same width. They share the memory.

    Numbers from zero up have the order of these integers. A number times 0 or 1, as integers, is zero or itself.

    Example:
        >>> as_integers(torch.tensor([0.0, 1.0, 2.0]))
        tensor([         0, 1065353216, 1073741824], dtype=torch.int32)
    """
    return x.view(torch.int16 if x.dtype == torch.bfloat16 else torch.int32)
