"""A clip's frame features to one embedding: maximum plus mean over time.

The frame features come in blocks of any size, and the result is the same however they were cut.
"""

from __future__ import annotations

import torch
from torch import Tensor


class ClipPool:
    """Maximum plus mean over all frames of one clip, in constant memory.

    The sum is kept in float64, so that the mean of hours is as good as that of a second.

    Source:
        Niizumi et al., arXiv 2103.06695, section III.

    Example:
        >>> pool = ClipPool()
        >>> pool.add(torch.tensor([[1.0, -1.0]]))
        >>> pool.add(torch.tensor([[3.0, -1.0], [2.0, -4.0]]))
        >>> pool.result()
        tensor([ 5., -3.])
    """

    def __init__(self) -> None:
        self.count = 0
        self._maximum: Tensor | None = None
        self._sum: Tensor | None = None

    def add(self, features: Tensor) -> None:
        """Take the next frames.

        Args:
            features: ``(n_frames, size)``; none at all is allowed.
        """
        if len(features) == 0:
            return
        maximum, total = features.amax(0), features.sum(0, dtype=torch.float32).double()
        self.count += len(features)
        self._maximum = maximum if self._maximum is None else torch.maximum(self._maximum, maximum)
        self._sum = total if self._sum is None else self._sum + total

    def result(self) -> Tensor:
        """The embedding of what came so far.

        Returns:
            ``(size,)`` float32.

        Raises:
            ValueError: if no frame came.
        """
        if self._maximum is None or self._sum is None:
            raise ValueError("there is no frame to pool over")
        return self._maximum.float() + (self._sum / self.count).float()
