"""What is measured of embeddings on one task: a probe with all labels, nearest neighbours, and few labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.models.extractors import Extractor
from benchmark.models.rows import Asked, shown
from benchmark.probes import ridge
from benchmark.probes.plan import Plan
from benchmark.probes.probe import probe
from benchmark.probes.splits import Fold, Task, groups_of
from benchmark.reporting.command_line import command_line
from benchmark.studies.few_shot import draws as draws_module
from benchmark.studies.few_shot.draws import curve, thinned
from benchmark.studies.study_setup import Setup, features_of, key_of, remembered

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
    rows = clips_tested(folds, seed)
    share = neighbours(features[rows], labels[rows], groups[rows])
    return [*found, {"measure": "neighbours", "count": 0, "draw": 0, "accuracy": share, "clips": len(rows)}]


def clips_tested(folds: list[Fold], seed: int) -> np.ndarray:
    """The clips that any fold tests, at most :data:`MOST_CLIPS` of them, drawn at random.

    Args:
        folds: a task's folds.
        seed: seed of the draw.

    Returns:
        ``(n,)`` positions of the clips in their set.
    """
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    return thinned(tested, MOST_CLIPS, np.random.default_rng(seed))


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


def measured_once(
    extractor: Extractor, task: Task, planned: Plan, draws: int, max_test: int, setup: Setup
) -> list[dict[str, Any]]:
    """Measure a model on a task, or take the numbers from the cache. It embeds only what the cache lacks.

    Args:
        extractor: the model.
        task: one of the planned tasks.
        planned: sets and folds.
        draws: as for :func:`measured`.
        max_test: as for :func:`measured`.
        setup: the study's options.

    Returns:
        As :func:`measured`, each with its ``task``.
    """
    labelled, folds = planned.sets[task.source], planned.folds[task.name]
    parts = [[part.tolist() for part in (fold.train, fold.test)] for fold in folds]
    versions = [MEASUREMENT_VERSION, draws_module.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION]
    settings = (labelled.sha256, task.name, parts, draws, max_test, setup.seed)

    def compute() -> list[dict[str, Any]]:
        features = features_of(extractor, labelled, planned.rows[task.source], setup)
        found = measured(features, task, labelled, folds, draws, max_test, setup.seed)
        return [{"task": task.name, **each} for each in found]

    return remembered(setup.cache, "measures", key_of(extractor.identity, *settings, versions=versions), compute)


def measured_models(rows: Sequence[Asked], planned: Plan, draws: int, max_test: int, setup: Setup) -> pd.DataFrame:
    """Measure models on all planned tasks, each with all its seeds.

    Args:
        rows: the models.
        planned: sets, folds and tasks.
        draws: as for :func:`measured`.
        max_test: as for :func:`measured`.
        setup: the study's options.

    Returns:
        As :func:`measured_once`, with ``model``, ``seed`` and the ``domain`` of the task.
    """
    found: list[dict[str, Any]] = []
    for row in rows:
        for seed, extractor in enumerate(row.extractors):
            for task in planned.tasks:
                about = {"model": shown(row.name), "seed": seed, "domain": task.domain}
                found += [{**about, **each} for each in measured_once(extractor, task, planned, draws, max_test, setup)]
    return pd.DataFrame(found)


def about_measures(
    rows: Sequence[Asked], planned: Plan, validation: bool, draws: int, max_test: int, setup: Setup
) -> dict[str, Any]:
    """How numbers were measured, JSON values for :func:`benchmark.studies.findings.save_numbers`.

    Args:
        rows: the models.
        planned: sets, folds and tasks.
        validation: whether validation parts were used instead of test parts.
        draws: as for :func:`measured`.
        max_test: as for :func:`measured`.
        setup: the study's options.
    """
    return {**about_models(rows, planned, validation, setup), "draws": draws, "max_test": max_test}


def about_models(rows: Sequence[Asked], planned: Plan, validation: bool, setup: Setup) -> dict[str, Any]:
    """What is measured of which audio, JSON values for :func:`benchmark.studies.findings.save_numbers`.

    Args:
        rows: the models.
        planned: sets, folds and tasks.
        validation: whether validation parts were used instead of test parts.
        setup: the study's options.
    """
    return {
        "command": command_line(),
        "parts": "validation" if validation else "test",
        "seed": setup.seed,
        "notes": {shown(row.name): row.extractors[0].note for row in rows},
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: labelled.sha256 for name, labelled in planned.sets.items()},
    }
