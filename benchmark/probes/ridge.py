"""Standardised ridge regression, a bias that is not penalised, and a classifier: one against the rest, targets of ±1.

It classifies as scikit-learn's ``RidgeClassifier`` does on standardised features (a test says so), but one Gram
matrix, over clips or over features, whichever are fewer, serves every strength of regularisation, and a strength
costs one Cholesky factorisation: 3072 features of 4 000 clips take seconds.

A feature of a clip that is scored counts no further than a standard deviation beyond what the training clips reached.
Many of a network's features come out of a rectifier that fires for few sounds: its deviation over the training clips
can be next to nothing, and a clip for which it does fire would stand thousands of deviations away, decided by that
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

#: Raise it when a change to the probes moves a prediction; what is cached is then out of date.
MEASUREMENT_VERSION = 1

#: Strengths of regularisation to choose from, for standardised features.
STRENGTHS = tuple(10.0**power for power in range(7))


class RidgeRegression:
    """A regression ready to be solved for any strength of regularisation.

    Args:
        features: ``(n_clips, n_features)`` float32 training features. Their mean and standard deviation are taken
            here and applied to whatever is scored, which is held within their range, a deviation wider on each side; a
            feature that does not vary counts as zero.
        targets: ``(n_clips, n_targets)`` numbers to predict.
    """

    def __init__(self, features: Tensor, targets: Tensor) -> None:
        deviation, self.mean = torch.std_mean(features.double(), dim=0, correction=0)
        varies = deviation > 1e-6 * self.mean.abs().clamp(min=1e-6)
        self.scale = torch.where(varies, 1 / deviation.clamp(min=1e-30), 0.0)
        self.range = (features.amin(0) - deviation).float(), (features.amax(0) + deviation).float()
        self.features = self.standardised(features)
        self.bias = targets.double().mean(0)
        self.targets = targets.double() - self.bias
        self.dual = len(features) <= features.shape[1]
        # Single precision does for the products (their error is far below the least strength, 1), not for solving.
        product = self.features @ self.features.T if self.dual else self.features.T @ self.features
        self.gram = product.double()

    def standardised(self, features: Tensor) -> Tensor:
        """``(n_clips, n_features)`` float32 of mean 0 and standard deviation 1 on the training clips."""
        return ((features.double() - self.mean) * self.scale).float()

    def scores(self, features: Tensor, strengths: Sequence[float]) -> Iterator[Tensor]:
        """Targets ``(n_clips, n_targets)`` float64 of clips that were not trained on, for one strength after the
        other."""
        offered = self.standardised(features.clamp(*self.range))
        # Over clips: a score is a sum over training clips; over features: one over features.
        products = (offered @ self.features.T if self.dual else offered).double()
        targets = self.targets if self.dual else self.features.T.double() @ self.targets
        for strength in strengths:
            damped = self.gram.clone()
            damped.diagonal().add_(strength)
            solution = torch.cholesky_solve(targets, torch.linalg.cholesky(damped))
            yield products @ solution + self.bias


class Ridge(RidgeRegression):
    """A classifier ready to be solved for any strength of regularisation.

    Args:
        features: ``(n_clips, n_features)`` float32 training features, see :class:`RidgeRegression`.
        codes: ``(n_clips,)`` int64 class numbers.
        n_classes: number of classes.
    """

    def __init__(self, features: Tensor, codes: Tensor, n_classes: int) -> None:
        super().__init__(features, torch.nn.functional.one_hot(codes, n_classes).double() * 2 - 1)

    def predict(self, features: Tensor, strengths: Sequence[float]) -> Iterator[Tensor]:
        """Class numbers ``(n_clips,)`` of clips that were not trained on, for one strength after the other."""
        for scores in self.scores(features, strengths):
            yield scores.argmax(1)


def classify(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    choose: np.ndarray,
    test: np.ndarray,
    groups: np.ndarray | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> tuple[np.ndarray, float]:
    """Train on one part, choosing the strength of regularisation within it, and predict another.

    Args:
        features: ``(n_clips, n_features)`` float32, finite.
        labels: ``(n_clips,)`` text.
        train: positions of the clips to learn from.
        choose: positions out of ``train`` to choose the strength on: a first fit is made without them and without
            any clip of their groups, its standardisation included.
        test: positions of the clips to predict; nothing is learnt from them, their scale included.
        groups: ``(n_clips,)`` groups, None if each clip stands for itself.
        strengths: what to choose from; of equally good ones, the strongest.

    Returns:
        Predicted labels ``(n_test,)`` and the strength chosen.

    Raises:
        ValueError: if a feature is not finite, a part is empty, or there is one label only.

    Example:
        >>> features = np.array([[0.0], [0.1], [1.0], [1.1], [0.2], [1.2]], dtype=np.float32)
        >>> labels = np.array(["low", "low", "high", "high", "low", "high"])
        >>> classify(features, labels, np.arange(4), np.array([1, 3]), np.array([4, 5]))[0].tolist()
        ['low', 'high']
    """
    if not np.isfinite(features).all():
        bad = int((~np.isfinite(features)).any(1).sum())
        raise ValueError(f"expected finite embeddings, got NaN or infinity in those of {bad} of {len(features)} clips")
    if not len(train) or not len(choose) or not len(test):
        raise ValueError(
            f"expected clips in every part, got {len(train)} to train, {len(choose)} to choose, {len(test)} to test"
        )
    groups = np.arange(len(features)) if groups is None else groups
    first = train[~np.isin(groups[train], groups[choose])]
    if not len(first):
        raise ValueError("expected clips to train on besides the groups that choose, got none")
    classes, codes = np.unique(labels[train], return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"expected at least two labels to tell apart, got {classes.tolist()}")
    code_of = np.zeros(len(features), np.int64)
    code_of[train] = codes

    def part(rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(features[rows], dtype=np.float32))

    def trained(rows: np.ndarray) -> Ridge:
        return Ridge(part(rows), torch.from_numpy(code_of[rows]), len(classes))

    strength = strengths[0]
    if len(strengths) > 1:
        inner, offered, right = trained(first), part(choose), torch.from_numpy(code_of[choose])
        hits = [int((predicted == right).sum()) for predicted in inner.predict(offered, strengths)]
        strength = max(zip(hits, strengths))[1]
    predicted = next(trained(train).predict(part(test), [strength]))
    return classes[predicted.numpy()], strength
