"""Logistic regression on scaled embeddings, one class against the rest, and what replaces it for few examples.

Dimensions are divided by the square root of their standard deviation, which is halfway to standardising them: what
varies more counts more, as in short vectors. The regularisation depends on it, and matters most with few examples.

Dimensions are limited to the range of the examples, a standard deviation wider on each side. Many of them come out of a
rectifier that fires for few sounds: their deviation over the examples is next to nothing, and a sound for which one
does fire would stand thousands of deviations away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.scikit_learn import StandardScaler
from byola_hear.classification.solver import fitted

#: Strengths to choose from: scikit-learn's ``C``; small values regularise more.
STRENGTHS = (0.001, 0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Linear:
    """A linear map of embeddings that are limited to a range.

    Attributes:
        weight: ``(n_classes, size)`` float32.
        bias: ``(n_classes,)`` float32; NaN for a class that could not be fitted.
        low: ``(size,)`` float32.
        high: ``(size,)`` float32.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


class Regression:
    """Examples, ready to be fitted with any strength of regularisation.

    Args:
        embeddings: ``(n_examples, size)`` float32.
        truth: ``(n_examples, n_classes)``, which classes are in which example.
        floor: deviations below this share of the median deviation count as so much. Dimensions that hardly vary then
            have little weight, which matters if the network is to change.

    Attributes:
        mean: ``(size,)`` mean of the embeddings.
        scale: ``(size,)`` what they are multiplied with, so that their mean variance is 1; 0 for a dimension that does
            not vary.
        low: ``(size,)`` float32, their lower limit.
        high: ``(size,)`` float32, their upper limit.
    """

    def __init__(self, embeddings: NDArray[np.float32], truth: NDArray[np.bool_], floor: float = 0.0) -> None:
        self.truth = truth
        scaler = StandardScaler().fit(embeddings)
        self.mean = scaler.mean_
        deviation = np.sqrt(scaler.var_)
        self.low = (embeddings.min(0) - deviation).astype(np.float32)
        self.high = (embeddings.max(0) + deviation).astype(np.float32)
        # An embedding is exact to 1e-5. A dimension that varies no more than that counts as zero.
        varies = deviation > 1e-4 * np.maximum(np.abs(self.mean), 1e-6)
        least = max(floor * float(np.median(deviation)), 1e-30)
        root = np.where(varies, np.maximum(deviation, least) ** -0.5, 0.0)
        spread = np.sqrt(np.square(deviation * root)[varies].mean()) if varies.any() else 1.0
        self.scale = root / spread
        self._examples = ((embeddings - self.mean) * self.scale).astype(np.float32)

    def fit(self, strengths: Sequence[float]) -> list[Linear]:
        """Fit all classes.

        Args:
            strengths: of regularisation, scikit-learn's ``C``, rising.

        Returns:
            One map for each strength. A class that is in all examples, or in none, has a NaN bias.
        """
        possible: NDArray[np.bool_] = np.asarray(self.truth.any(0) & ~self.truth.all(0))
        maps = []
        for slopes, intercepts in fitted(self._examples, self.truth[:, possible], strengths):
            weight = np.zeros((len(possible), len(self.scale)))
            bias = np.full(len(possible), np.nan)
            weight[possible] = slopes.T * self.scale
            bias[possible] = intercepts - weight[possible] @ self.mean
            maps.append(Linear(weight.astype(np.float32), bias.astype(np.float32), self.low, self.high))
        return maps

    def fit_one(self, strength: float) -> Linear:
        """Fit all classes with one strength of :data:`STRENGTHS`, as ``fit(STRENGTHS)`` does.

        The fits before it are made, too: with weak regularisation, the solver ends elsewhere if it begins at nothing,
        and thresholds of held-out fits would not suit the map.

        Args:
            strength: of regularisation, scikit-learn's ``C``.
        """
        return self.fit([each for each in STRENGTHS if each <= strength])[-1]


def logits(linear: Linear, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits ``(n, n_classes)`` of embeddings; NaN for a class that could not be fitted."""
    limited = np.clip(embeddings, linear.low, linear.high)
    return (limited @ linear.weight.T + linear.bias).astype(np.float64)


def class_means(
    embeddings: NDArray[np.float32], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Directions of the classes' means from the centre of all, for the cosine.

    Args:
        embeddings: ``(n_examples, size)`` float32.
        truth: ``(n_examples, n_classes)``; each class in at least one example. Examples without a class count as one
            more class for the centre.

    Returns:
        Unit vectors ``(n_classes, size)`` and the centre ``(size,)``, both float32.
    """
    parts = [*truth.T, ~truth.any(1)]
    means = [embeddings[part].mean(0, dtype=np.float64) for part in parts if part.any()]
    centre = np.mean(means, axis=0)
    directions = np.stack(means[: truth.shape[1]]) - centre
    lengths = np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    return (directions / lengths).astype(np.float32), centre.astype(np.float32)
