"""Draws of training clips, the same for every model, and the accuracies of two probes trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from benchmark.probes.ridge import Ridge
from benchmark.probes.splits import Fold

#: Raise it when a change to the draws or the probes changes an accuracy: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Numbers of labels a class. MAEB, the audio benchmark of mteb, has eight.
COUNTS = (1, 5, 8, 20)

#: Marks a probe of embeddings that are not standardised.
RAW = ", raw"

#: The probes: nearest class mean by cosine, and a ridge classifier, of standardised embeddings and of raw ones.
PROBES = ("centroid", "ridge", f"centroid{RAW}", f"ridge{RAW}")


def few(labels: np.ndarray, groups: np.ndarray, train: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw training clips: ``count`` of each class, from as many groups as possible.

    Args:
        labels: ``(n_clips,)``.
        groups: ``(n_clips,)``.
        train: positions to draw from.
        count: number of clips of each class.
        rng: random generator.

    Returns:
        ``(n_classes * count,)`` positions; empty if a class has fewer clips.
    """
    drawn = []
    shuffled = train[rng.permutation(len(train))]
    for label in np.unique(labels[train]):
        of_class = shuffled[labels[shuffled] == label]
        if len(of_class) < count:
            return np.empty(0, np.int64)
        # How many clips of its group precede a clip: first all groups once, then again.
        seen: dict[str, int] = {}
        again = []
        for group in groups[of_class]:
            again.append(seen.get(group, 0))
            seen[group] = again[-1] + 1
        drawn.append(of_class[np.argsort(again, kind="stable")[:count]])
    return np.concatenate(drawn)


def predict(features: np.ndarray, labels: np.ndarray, support: np.ndarray, test: np.ndarray, probe: str) -> np.ndarray:
    """Predict labels with a probe without hyperparameters.

    They standardise features on the training clips; raw ones have one scale for all features. ``centroid`` predicts the
    class whose mean has the largest cosine with the clip; ``ridge`` is :class:`benchmark.probes.ridge.Ridge` with the
    number of features as its strength, which halves the weight of a single clip.

    Args:
        features: ``(n_clips, n_features)`` float32.
        labels: ``(n_clips,)``; those of ``test`` are not used.
        support: positions of the training clips.
        test: positions to predict.
        probe: a name out of :data:`PROBES`.

    Returns:
        ``(n_test,)``.

    Raises:
        ValueError: if the probe is unknown.
    """
    if probe not in PROBES:
        raise ValueError(f"expected a probe out of {', '.join(PROBES)}, got {probe!r}")
    classes, codes = np.unique(labels[support], return_inverse=True)
    learnt, offered = (torch.from_numpy(np.ascontiguousarray(features[rows])) for rows in (support, test))
    ridge = Ridge(learnt, torch.from_numpy(codes), len(classes), standardise=not probe.endswith(RAW))
    if probe.startswith("ridge"):
        found = next(ridge.predict(offered, [float(features.shape[1])]))
    else:
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(codes), len(classes)).float()
        means = one_hot.T @ torch.nn.functional.normalize(ridge.features)
        cosines = torch.nn.functional.normalize(ridge.standardised(offered)) @ torch.nn.functional.normalize(means).T
        found = cosines.argmax(1)
    predicted: np.ndarray = classes[found.numpy()]
    return predicted


def thinned(positions: Sequence[int] | np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Draw at most ``most`` positions; keeps their order."""
    positions = np.asarray(positions)
    return positions if len(positions) <= most else np.sort(rng.choice(positions, most, replace=False))


def curve(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    folds: Sequence[Fold],
    task: str,
    draws: int,
    max_test: int,
    seed: int,
    bar: tqdm | None = None,
) -> list[dict[str, Any]]:
    """Compute the accuracies of all probes for every number of labels and every draw.

    Args:
        features: ``(n_clips, n_features)`` float32.
        labels: ``(n_clips,)``.
        groups: ``(n_clips,)``.
        folds: folds that the draws take in turn.
        task: the task's name.
        draws: number of draws for each number of labels.
        max_test: largest number of tested clips of a draw.
        seed: seed of the draws.
        bar: progress bar that counts draws.

    Returns:
        ``task``, ``probe``, ``count``, ``draw`` and ``accuracy``, %; nothing for more labels than a class has.
    """
    found = []
    for count in COUNTS:
        for draw in range(draws):
            # The drawn clips depend only on the task, the number of labels, the draw and the seed.
            rng = np.random.default_rng([seed, count, draw])
            fold = folds[draw % len(folds)]
            support = few(labels, groups, fold.train, count, rng)
            test = thinned(fold.test, max_test, rng)
            if bar is not None:
                bar.update()
            if not len(support):
                continue
            for probe in PROBES:
                right = predict(features, labels, support, test, probe) == labels[test]
                accuracy = 100 * float(np.mean(right))
                found.append({"task": task, "probe": probe, "count": count, "draw": draw, "accuracy": accuracy})
    return found
