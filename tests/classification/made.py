"""Classifiers and examples made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from byola_hear.classification.classifier import Classifier, Network, Operating
from byola_hear.classification.examples import Examples

NETWORK = Network("both", "both 1.5", "ab" * 32, 4)


def classifier(**changes: Any) -> Classifier:
    """Two classes: the sign of the first and of the second dimension."""
    values: dict[str, Any] = {
        "classes": ("owl", "fox"),
        "weight": np.array([[2, 0, 0, 0], [0, 2, 0, 0]], np.float32),
        "bias": np.array([0, 1], np.float32),
        "centre": np.zeros(4, np.float32),
        "low": np.full(4, -1, np.float32),
        "high": np.full(4, 1, np.float32),
        "operating": (Operating(0.4, ((0.5, 0.3), (0.9, 0.7))), Operating(0.6, ())),
        "method": "logistic",
        "window": 2.0,
        "hop": 1.0,
        "network": NETWORK,
        "about": {"folds": 5},
    }
    return Classifier(**{**values, **changes})


def examples(
    n_groups: int = 8, per_group: int = 4, n_classes: int = 2, size: int = 20, seed: int = 0, **changes: Any
) -> Examples:
    """Clusters around a direction of each class; the last of each group has no class."""
    rng = np.random.default_rng(seed)
    n = n_groups * per_group
    code = np.tile(np.arange(per_group) % (n_classes + 1), n_groups)
    truth = np.eye(n_classes + 1, dtype=bool)[code][:, :n_classes]
    group = np.repeat(np.arange(n_groups), per_group)
    embeddings = rng.normal(0, 0.3, (n, size)) + 2 * np.eye(n_classes + 1, size)[code]
    # What the windows of a group have in common: a classifier that saw one of them knows the others.
    embeddings += rng.normal(0, 1, (n_groups, size))[group] * 0.2
    values: dict[str, Any] = {
        "embeddings": embeddings.astype(np.float32),
        "file": np.array([f"{number}.wav" for number in group], dtype=object),
        "start": np.arange(n, dtype=float),
        "end": np.arange(n, dtype=float) + 1,
        "truth": truth,
        "classes": tuple(f"class {index}" for index in range(n_classes)),
        "group": group,
        "window": 1.0,
    }
    return Examples(**{**values, **changes})
