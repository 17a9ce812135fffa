"""The transfer matrix: train under one condition, test under all, in folds that keep groups together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from benchmark.comparison.intervals import finite_percentiles
from benchmark.probes.ridge import classify

#: Raise it when a change to the conditions or the matrix changes an accuracy: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Number of folds: three train, one of which chooses the regularisation, and one tests.
FOLDS = 4


@dataclass(frozen=True)
class Condition:
    """Embedded clips under one condition.

    Attributes:
        features: ``(n, n_features)`` float32.
        labels: ``(n,)``.
        groups: ``(n,)``; a group is in the same fold under all conditions.
    """

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


def folds_of(labels: np.ndarray, groups: np.ndarray, seed: int) -> dict[str, int]:
    """Assign groups to folds, with labels in similar proportions.

    Raises:
        ValueError: if there are fewer groups than folds.
    """
    if len(np.unique(groups)) < FOLDS:
        raise ValueError(f"expected at least {FOLDS} groups to split between, found {len(np.unique(groups))}")
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    found: dict[str, int] = {}
    for number, (_, rows) in enumerate(splitter.split(labels, labels, groups)):
        found.update(dict.fromkeys(groups[rows].tolist(), number))
    return found


def balanced_accuracy(right: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean over the labels of the share of correct clips, %.

    Args:
        right: ``(n,)`` bool, whether a clip is correct.
        labels: ``(n,)`` true labels.
        weights: ``(n,)`` weights of the clips; 1 if None.

    Example:
        >>> balanced_accuracy(np.array([True, True, True, False]), np.array(["a", "a", "a", "b"]))
        50.0
    """
    weights = np.ones(len(labels)) if weights is None else weights
    shares = []
    for label in np.unique(labels):
        of_label = weights * (labels == label)
        if of_label.sum() > 0:
            shares.append(float((of_label * right).sum() / of_label.sum()))
    return 100 * float(np.mean(shares))


def transfer_matrix(
    conditions: Mapping[str, Condition],
    seed: int,
    tested: Callable[[str, str], bool] = lambda trained, tested: True,
    draws: int = 500,
    bar: tqdm | None = None,
) -> list[dict[str, Any]]:
    """Compute accuracies of probes trained under each condition and tested under each.

    Every clip of a condition is tested once, by a probe trained on the three folds without its group. Only labels that
    all conditions have are used.

    Args:
        conditions: conditions by name.
        seed: seed of folds and bootstrap.
        tested: whether a pair (trained, tested) is measured.
        draws: number of bootstrap samples of the tested groups.
        bar: progress bar that counts conditions.

    Returns:
        ``trained``, ``tested``, ``value`` (balanced accuracy, %), ``low``, ``high`` (95 %), ``chance`` (%) and
        ``clips``.

    Raises:
        ValueError: if the conditions share fewer than two labels, or one has too few groups.
    """
    shared = set.intersection(*(set(each.labels.tolist()) for each in conditions.values()))
    if len(shared) < 2:
        raise ValueError(f"expected at least two labels that all conditions have, found {sorted(shared)}")
    kept = {name: np.flatnonzero(np.isin(each.labels, sorted(shared))) for name, each in conditions.items()}
    names = list(conditions)
    features = np.concatenate([conditions[name].features[kept[name]] for name in names])
    labels = np.concatenate([conditions[name].labels[kept[name]] for name in names])
    groups = np.concatenate([conditions[name].groups[kept[name]] for name in names])
    owner = np.repeat(np.arange(len(names)), [len(kept[name]) for name in names])
    place = folds_of(labels, groups, seed)
    fold = np.array([place[group] for group in groups.tolist()])
    found = []
    for number, trained in enumerate(names):
        right = np.zeros(len(labels), bool)
        others = np.array([tested(trained, name) or name == trained for name in names])
        for held in range(FOLDS):
            train = np.flatnonzero((owner == number) & (fold != held))
            choose = train[fold[train] == (held + 1) % FOLDS]
            test = np.flatnonzero((fold == held) & others[owner])
            if len(test):
                predicted, _ = classify(features, labels, train, choose, test, groups)
                right[test] = predicted == labels[test]
        for index, name in enumerate(names):
            if not others[index]:
                continue
            rows = np.flatnonzero(owner == index)
            low, high = _interval(right[rows], labels[rows], groups[rows], draws, seed)
            value = balanced_accuracy(right[rows], labels[rows])
            found.append(
                {
                    "trained": trained,
                    "tested": name,
                    "value": value,
                    "low": low,
                    "high": high,
                    "chance": 100 / len(shared),
                    "clips": len(rows),
                }
            )
        if bar is not None:
            bar.update()
    return found


def _interval(right: np.ndarray, labels: np.ndarray, groups: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """95 % interval of the balanced accuracy over bootstrap samples of the groups."""
    codes = np.unique(groups, return_inverse=True)[1]
    n_groups = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        counts = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        values.append(balanced_accuracy(right, labels, counts[codes]))
    return finite_percentiles(values)
