"""Ridge regression with nested validation: predicts outer folds; inner folds choose the regularisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import GroupKFold
from torch import Tensor

from benchmark.probes.ridge import RidgeRegression

#: Raise it when a change to the regression changes a prediction: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Candidate strengths of regularisation, for standardised features.
STRENGTHS = tuple(10.0**power for power in range(8))


@dataclass(frozen=True)
class Predictions:
    """Predictions by nested validation: each clip is predicted once, by a regression that was not trained on its group.

    Attributes:
        predicted: ``(n_clips,)``.
        mean: ``(n_clips,)`` mean target of the training clips of each prediction: the reference guess.
        strengths: the chosen regularisation, one for each outer fold.
    """

    predicted: np.ndarray
    mean: np.ndarray
    strengths: tuple[float, ...]


def group_folds(groups: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Make folds that keep groups together: positions to train on and to test.

    Args:
        groups: ``(n_clips,)`` text.
        n_folds: number of folds; at most the number of groups.
        seed: seed of the assignment of groups to folds.

    Raises:
        ValueError: if there is only one group.
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
    """Choose the strength with the smallest squared error over inner folds; of equal ones, the strongest."""
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
        n_folds: number of outer folds, and of inner folds within each.
        strengths: candidates, ascending.
        seed: seed of the folds.

    Returns:
        The predictions.

    Raises:
        ValueError: if a number is not finite, all targets are equal, shapes disagree, or there are too few groups.
    """
    if not len(features) == len(target) == len(groups):
        raise ValueError(
            f"expected a target and a group for each clip, got {len(features)} clips, {len(target)} targets, "
            f"{len(groups)} groups"
        )
    if not np.isfinite(features).all() or not np.isfinite(target).all():
        raise ValueError("expected finite embeddings and targets, got NaN or infinity")
    if np.ptp(target) == 0:
        raise ValueError(f"expected different targets, got {target[0]:g} for every clip")
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
