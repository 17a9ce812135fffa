"""Ridge regression on standardised features, with an unpenalised bias, and a one-against-rest classifier.

The classifier agrees with scikit-learn's ``RidgeClassifier`` on standardised features, but is faster: one Gram matrix,
over clips or over features, whichever are fewer, serves all strengths of regularisation, and a strength costs one
Cholesky factorisation. 3072 features of 4 000 clips take seconds. :mod:`benchmark.probes.standardising` has the scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmark.probes.standardising import Standardiser

#: Raise it when a change to the probes changes a prediction: cached results are then out of date.
MEASUREMENT_VERSION = 2

#: Strengths of regularisation to choose from, for standardised features.
STRENGTHS = tuple(10.0**power for power in range(7))


class RidgeRegression:
    """A ridge regression, prepared for any strength of regularisation.

    Args:
        features: ``(n_clips, n_features)`` float32 training features. Scored clips are standardised by their mean and
            standard deviation and clamped to their range, one deviation wider on each side. Constant features count
            as zero.
        targets: ``(n_clips, n_targets)`` numbers to predict.
        standardise: whether each feature has its own scale; otherwise, all have the same.
    """

    def __init__(self, features: Tensor, targets: Tensor, standardise: bool = True) -> None:
        own = Standardiser.of(features)
        self.standardiser = own if standardise else own.with_one_scale()
        self.features = self.standardised(features)
        self.bias = targets.double().mean(0)
        self.targets = targets.double() - self.bias
        self.dual = len(features) <= features.shape[1]
        # In single precision, the rounding of features that few clips have adds up to more than the smallest strength.
        exact = self.features.double()
        self.gram = exact @ exact.T if self.dual else exact.T @ exact

    def standardised(self, features: Tensor) -> Tensor:
        """Scale ``(n_clips, n_features)``, float32, by the statistics of the training clips."""
        return self.standardiser.scaled(features)

    def scores(self, features: Tensor, strengths: Sequence[float]) -> Iterator[Tensor]:
        """Predict targets ``(n_clips, n_targets)`` float64 of new clips, for each strength in turn."""
        offered = self.standardiser(features)
        # Over clips: a score is a sum over training clips; over features: one over features.
        products = (offered @ self.features.T if self.dual else offered).double()
        targets = self.targets if self.dual else self.features.T.double() @ self.targets
        for strength in strengths:
            damped = self.gram.clone()
            damped.diagonal().add_(strength)
            solution = torch.cholesky_solve(targets, torch.linalg.cholesky(damped))
            yield products @ solution + self.bias


class Ridge(RidgeRegression):
    """A ridge classifier, prepared for any strength of regularisation.

    Args:
        features: ``(n_clips, n_features)`` float32 training features, see :class:`RidgeRegression`.
        codes: ``(n_clips,)`` int64 class numbers.
        n_classes: number of classes.
        standardise: see :class:`RidgeRegression`.
    """

    def __init__(self, features: Tensor, codes: Tensor, n_classes: int, standardise: bool = True) -> None:
        super().__init__(features, torch.nn.functional.one_hot(codes, n_classes).double() * 2 - 1, standardise)

    def predict(self, features: Tensor, strengths: Sequence[float]) -> Iterator[Tensor]:
        """Predict class numbers ``(n_clips,)`` of new clips, for each strength in turn."""
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
    standardise: bool = True,
) -> tuple[np.ndarray, float]:
    """Train on one part, choose the strength of regularisation within it, and predict another part.

    Args:
        features: ``(n_clips, n_features)`` float32, finite.
        labels: ``(n_clips,)`` text.
        train: positions of the training clips.
        choose: positions out of ``train`` to choose the strength on. The first fit, its standardisation included, uses
            neither them nor other clips of their groups.
        test: positions of the clips to predict. Nothing is learnt from them, not even their scale.
        groups: ``(n_clips,)`` groups; None if every clip is its own group.
        strengths: candidates; of equally good ones, the strongest is chosen.
        standardise: see :class:`RidgeRegression`.

    Returns:
        Predicted labels ``(n_test,)`` and the chosen strength.

    Raises:
        ValueError: if a feature is not finite, a part is empty, or there is only one label.

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
        raise ValueError("expected training clips outside the groups that choose the strength, got none")
    classes, codes = np.unique(labels[train], return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"expected at least two labels, got {classes.tolist()}")
    code_of = np.zeros(len(features), np.int64)
    code_of[train] = codes

    def part(rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(features[rows], dtype=np.float32))

    def trained(rows: np.ndarray) -> Ridge:
        return Ridge(part(rows), torch.from_numpy(code_of[rows]), len(classes), standardise)

    strength = strengths[0]
    if len(strengths) > 1:
        inner, offered, right = trained(first), part(choose), torch.from_numpy(code_of[choose])
        hits = [int((predicted == right).sum()) for predicted in inner.predict(offered, strengths)]
        strength = max(zip(hits, strengths))[1]
    predicted = next(trained(train).predict(part(test), [strength]))
    return classes[predicted.numpy()], strength
