"""What is measured of embeddings of one size on one task."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.probes.probe import probe
from benchmark.probes.splits import Fold, Task, groups_of
from benchmark.studies.few_shot.draws import curve, thinned

#: Raise it when a change here changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1
#: Neighbours of a clip whose labels are compared with its own.
NEIGHBOURS = 5
#: Clips at most whose neighbours are looked for.
MOST_CLIPS = 2000


def measured(
    features: np.ndarray, task: Task, labelled: LabelledSet, folds: list[Fold], draws: int, max_test: int, seed: int
) -> list[dict[str, Any]]:
    """Measure embeddings in three ways: a probe with all labels, probes with few labels, and nearest neighbours.

    Args:
        features: ``(n_clips, n_features)`` embeddings of the set's clips.
        task: the task.
        labelled: its set.
        folds: its folds.
        draws: number of draws with few labels.
        max_test: largest number of tested clips of a draw.
        seed: seed of the draws.

    Returns:
        ``measure`` (``probe``, ``ridge``, ``centroid`` or ``neighbours``), ``count`` (labels a class; 0 for all),
        ``draw`` (of the labels, or the fold), ``accuracy``, %, and ``clips``, how many were tested.
    """
    labels, groups = labelled.manifest[task.label].to_numpy(str), groups_of(task, labelled.manifest)
    result = probe(features, task, labelled, folds)
    found: list[dict[str, Any]] = [
        {"measure": "probe", "count": 0, "draw": number, "accuracy": accuracy, "clips": clips}
        for number, (accuracy, clips) in enumerate(zip(result.accuracies, result.counts, strict=True))
    ]
    for each in curve(features, labels, groups, folds, task.name, draws, max_test, seed):
        few = {"measure": each["probe"], "count": each["count"], "draw": each["draw"], "accuracy": each["accuracy"]}
        found.append({**few, "clips": min(max_test, len(folds[each["draw"] % len(folds)].test))})
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    rows = thinned(tested, MOST_CLIPS, np.random.default_rng(seed))
    share = neighbours(features[rows], labels[rows], groups[rows])
    return [*found, {"measure": "neighbours", "count": 0, "draw": 0, "accuracy": share, "clips": len(rows)}]


def neighbours(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """Share of the nearest neighbours by cosine, of other groups, that have a clip's label, %.

    Args:
        features: ``(n, n_features)``.
        labels: ``(n,)``.
        groups: ``(n,)``.

    Example:
        >>> angles = np.radians([0, 10, 20, 90, 100, 110])
        >>> features = np.column_stack([np.cos(angles), np.sin(angles)])
        >>> round(neighbours(features, np.array(list("aaabbb")), np.arange(6).astype(str)))
        40
    """
    units = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    cosines = units @ units.T
    cosines[groups[:, None] == groups] = -np.inf
    nearest = np.argpartition(-cosines, min(NEIGHBOURS, len(labels) - 1) - 1, axis=1)[:, :NEIGHBOURS]
    others = np.isfinite(np.take_along_axis(cosines, nearest, 1))
    return 100 * float((labels[nearest] == labels[:, None])[others].mean())
