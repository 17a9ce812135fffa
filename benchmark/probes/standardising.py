"""Standardise features by the mean and standard deviation of training clips.

Features of other clips are clamped to the range of the training clips plus one standard deviation. Many features of a
network come from a rectifier that is active for few sounds. Its deviation over the training clips can be almost 0; a
clip that activates it would be thousands of deviations away, and that feature alone would decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

#: Rows of a large array that are read at a time.
ROWS = 4096


@dataclass(frozen=True)
class Standardiser:
    """Scales features by the statistics of training clips.

    Attributes:
        mean: ``(n_features,)`` float64.
        scale: ``(n_features,)`` float64 factors after the mean is subtracted; 0 for constant features.
        low: ``(n_features,)`` float32, the least value that is not clamped.
        high: ``(n_features,)`` float32, the greatest.
    """

    mean: Tensor
    scale: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Standardiser:
        """The standardiser of training features ``(n_clips, n_features)`` float32."""
        deviation, mean = torch.std_mean(features.double(), dim=0, correction=0)
        return cls._of_moments(mean, deviation, features.amin(0), features.amax(0))

    @classmethod
    def of_parts(cls, parts: Sequence[np.ndarray]) -> Standardiser:
        """The standardiser of training features in several arrays ``(n_clips_i, n_features)``, read block by block."""
        count = sum(len(part) for part in parts)
        mean = torch.stack([block.sum(0) for block in _blocks(parts)]).sum(0) / count
        variance = torch.stack([(block - mean).square().sum(0) for block in _blocks(parts)]).sum(0) / count
        low = torch.stack([block.amin(0) for block in _blocks(parts)]).amin(0)
        high = torch.stack([block.amax(0) for block in _blocks(parts)]).amax(0)
        return cls._of_moments(mean, variance.sqrt(), low, high)

    @classmethod
    def _of_moments(cls, mean: Tensor, deviation: Tensor, low: Tensor, high: Tensor) -> Standardiser:
        varies = deviation > 1e-6 * mean.abs().clamp(min=1e-6)
        scale = torch.where(varies, 1 / deviation.clamp(min=1e-30), 0.0)
        return cls(mean, scale, (low - deviation).float(), (high + deviation).float())

    def with_one_scale(self) -> Standardiser:
        """The same with one factor for all features, so that their sizes stay as they are in relation to each other.

        The factor gives features a variance of 1 on average, so that strengths of regularisation mean the same.
        """
        varying = self.scale[self.scale > 0]
        if not len(varying):
            return self
        variance = varying.pow(-2).sum() / len(self.scale)
        return replace(self, scale=torch.full_like(self.scale, float(variance) ** -0.5))

    def scaled(self, features: Tensor) -> Tensor:
        """Scale ``(n_clips, n_features)`` without clamping; float32."""
        return ((features.double() - self.mean) * self.scale).float()

    def __call__(self, features: Tensor) -> Tensor:
        """Clamp and scale ``(n_clips, n_features)`` of any clips; float32."""
        return self.scaled(features.clamp(self.low, self.high))


def _blocks(parts: Iterable[np.ndarray]) -> Iterable[Tensor]:
    for part in parts:
        for start in range(0, len(part), ROWS):
            yield torch.from_numpy(np.array(part[start : start + ROWS])).double()
