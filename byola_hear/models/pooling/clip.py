"""A clip's frame features to one embedding.

The frame features arrive in blocks of any size, and the result does not depend on where the cuts are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.models.pooling.combination import combination
from byola_hear.utils.device import in_float64


class ClipPool:
    """Pools all frame features of one clip, in constant memory.

    The sum is kept in float64, so the mean of hours is as exact as the mean of a second.

    Args:
        pooling: the model's :attr:`~byola_hear.models.config.ModelConfig.pooling`.

    Raises:
        ValueError: if there is no such pooling.

    Example:
        >>> pool = ClipPool("max+mean")
        >>> pool.add(torch.tensor([[1.0, -1.0]]))
        >>> pool.add(torch.tensor([[3.0, -1.0], [2.0, -4.0]]))
        >>> pool.result()
        tensor([ 5., -3.])
    """

    def __init__(self, pooling: str) -> None:
        self._combined = combination(pooling)
        self._count = 0
        self._maximum: Tensor | None = None
        self._sum: Tensor | None = None

    def add(self, features: Tensor) -> None:
        """Take the next frame features.

        Args:
            features: ``(n_frames, size)``; may be empty.
        """
        if len(features) == 0:
            return
        maximum, total = features.amax(0), in_float64(features.sum(0, dtype=torch.float32))
        self._count += len(features)
        self._maximum = maximum if self._maximum is None else torch.maximum(self._maximum, maximum)
        self._sum = total if self._sum is None else self._sum + total

    def result(self) -> Tensor:
        """The embedding of all frame features so far.

        Returns:
            ``(size,)`` float32.

        Raises:
            ValueError: if there was no frame feature.
        """
        if self._maximum is None or self._sum is None:
            raise ValueError("expected at least one frame to pool, got none")
        maximum = self._maximum.float()
        return self._combined(maximum, (self._sum / self._count).to(maximum))
