"""Two small tasks of noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.tasks.task import Event, Item, Task

SPLITS = ("train", "valid", "test")


def noise(seed: int, n_samples: int = 1600) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-9000, 9000, n_samples)
    return (steps / 32768).astype(np.float32)


def scene_items(folder: Path) -> list[Item]:
    """A low and a high file in each split, one of them shorter than the task's files and one longer."""
    return [
        Item(f"{split}_{label}.wav", split, noise(seed, 1000 + 1000 * seed), (label,), f"{split}{label}")
        for seed, (split, label) in enumerate((split, label) for split in SPLITS for label in ("low", "high"))
    ]


def event_items(folder: Path) -> list[Item]:
    return [
        Item(f"{split}.wav", split, noise(3, 32000), (Event("a", 0, 500), Event("b", 250.5, 2000)), split)
        for split in SPLITS
    ]


SCENE = Task(
    name="toy",
    title="toy",
    domain="cross",
    description="low or high",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=SPLITS,
    sample_duration=0.2,
    evaluation=("top1_acc",),
    items=scene_items,
    sources=("toy_set",),
)


EVENT = replace(
    SCENE,
    name="toy_events",
    embedding_type="event",
    prediction_type="multilabel",
    sample_duration=2.0,
    evaluation=("event_onset_200ms_fms", "segment_1s_er"),
    evaluation_params={"event_postprocessing_grid": {"median_filter_ms": [100], "min_duration": [50, 100]}},
    items=event_items,
)


def left_over(tasks_dir: Path) -> list[str]:
    """What lies where it should not."""
    folders = [folder for folder in (tasks_dir.parent, tasks_dir) if folder.exists()]
    return [path.name for folder in folders for path in folder.iterdir() if path.name not in ("tasks", "toy")]


def changed(position: int = 0, **changes: Any) -> Callable[[Path], list[Item]]:
    """The scene task's files, one of them changed."""

    def items(folder: Path) -> list[Item]:
        made = scene_items(folder)
        made[position] = replace(made[position], **changes)
        return made

    return items
