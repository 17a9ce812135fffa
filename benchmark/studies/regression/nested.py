"""Ridge regression with nested validation: outer folds are predicted, inner folds choose the regularisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import GroupKFold
from torch import Tensor

from benchmark.probes.ridge import RidgeRegression

#: Raise it when a change to the nested regression moves a prediction; what is cached is then out of date.
MEASUREMENT_VERSION = 1

#: Strengths of regularisation to choose from, for standardised features.
STRENGTHS = tuple(10.0**power for power in range(8))


@dataclass(frozen=True)
class Predictions:
    """What nested validation gave, each clip predicted once, by a regression that saw none of its group.

    Attributes:
        predicted: ``(n_clips,)``.
        mean: ``(n_clips,)`` mean target of the clips that each prediction was learnt from: the guess to beat.
        strengths: the regularisation chosen, one an outer fold.
    """

    predicted: np.ndarray
    mean: np.ndarray
    strengths: tuple[float, ...]


def group_folds(groups: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions to train on and to test, whole groups together, for each fold.

    Args:
        groups: ``(n_clips,)`` text.
        n_folds: as many, or as many as there are groups if these are fewer.
        seed: of the order in which groups fall to folds.

    Raises:
        ValueError: if there is one group only.
    """
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(f"expected clips of at least two groups, got {n_groups}")
    splitter = GroupKFold(min(n_folds, n_groups), shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(groups, groups=groups)]


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def _chosen(
    features: np.ndarray, target: np.ndarray, groups: np.ndarray, strengths: Sequence[float], n_folds: int, seed: int
) -> float:
    """The strength with the smallest squared error over inner folds; of equally good ones, the strongest."""
    errors = np.zeros(len(strengths))
    for train, test in group_folds(groups, n_folds, seed):
        fitted = RidgeRegression(_tensor(features[train]), _tensor(target[train, None]))
        for index, scores in enumerate(fitted.scores(_tensor(features[test]), strengths)):
            errors[index] += np.square(scores.numpy()[:, 0] - target[test]).sum()
    best = np.flatnonzero(errors <= errors.min() * (1 + 1e-9))[-1]
    return float(strengths[best])


def nested_predictions(
    features: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray,
    n_folds: int = 5,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
) -> Predictions:
    """Predict every clip's number from its embedding.

    Args:
        features: ``(n_clips, n_features)`` float32, finite.
        target: ``(n_clips,)`` float64, finite.
        groups: ``(n_clips,)`` text; neither outer nor inner folds split one.
        n_folds: outer folds, and inner ones within each.
        strengths: to choose from, ascending.
        seed: of the folds.

    Returns:
        The predictions.

    Raises:
        ValueError: if a number is not finite, all targets are the same, shapes disagree, or there are too few groups.
    """
    if not len(features) == len(target) == len(groups):
        raise ValueError(
            f"expected one target and group a clip, got {len(features)} clips, {len(target)} targets, {len(groups)}"
        )
    if not np.isfinite(features).all() or not np.isfinite(target).all():
        raise ValueError("expected finite embeddings and targets, got NaN or infinity")
    if np.ptp(target) == 0:
        raise ValueError(f"expected targets that differ, got {target[0]:g} for every clip")
    if len(np.unique(groups)) < 3:
        raise ValueError(f"expected clips of at least three groups, got {len(np.unique(groups))}")
    predicted, mean, chosen = np.empty(len(target)), np.empty(len(target)), []
    for train, test in group_folds(groups, n_folds, seed):
        strength = _chosen(features[train], target[train], groups[train], strengths, n_folds, seed)
        fitted = RidgeRegression(_tensor(features[train]), _tensor(target[train, None]))
        predicted[test] = next(fitted.scores(_tensor(features[test]), [strength])).numpy()[:, 0]
        mean[test] = target[train].mean()
        chosen.append(strength)
    return Predictions(predicted, mean, tuple(chosen))
