"""Confusions between labels by model and task."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.comparison.comparison import Comparison

#: Largest number of labels with a legible matrix.
MAX_LABELS = 100


def confusions(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """Counts of tested files by true and predicted label.

    Args:
        comparison: the table.

    Returns:
        For each task with one label a file and at most :data:`MAX_LABELS` labels: ``labels``, and ``models``, which has
        for each model a flat list of true label, predicted label, number of files, … of the pairs that occur.
    """
    found: dict[str, dict[str, Any]] = {}
    for (model, task), outcome in comparison.outcomes.items():
        target, predicted = np.asarray(outcome.target, np.int64), np.asarray(outcome.predicted, np.int64)
        n = len(outcome.labels)
        if not len(target) or target.min() < 0 or predicted.min() < 0 or n > MAX_LABELS:
            continue
        matrix = np.bincount(target * n + predicted, minlength=n * n)
        pairs = np.flatnonzero(matrix)
        flat = np.stack([pairs // n, pairs % n, matrix[pairs]], axis=1).ravel().tolist()
        entry = found.setdefault(task, {"labels": list(outcome.labels), "models": {}})
        if entry["labels"] == list(outcome.labels):
            entry["models"][model] = flat
    return found
