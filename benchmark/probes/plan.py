"""What a probe needs: tasks with their sets, folds and clips to embed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet, audio_folder, load_set
from benchmark.probes.splits import Fold, Task, find_tasks, folds, thin


@dataclass(frozen=True)
class Plan:
    """Tasks with their sets, folds and clips to embed.

    Attributes:
        tasks: the tasks, in order.
        sets: the labelled sets, by name.
        folds: each task's folds.
        rows: for each set, positions of the clips that any fold of a task uses.
    """

    tasks: list[Task]
    sets: dict[str, LabelledSet]
    folds: dict[str, list[Fold]]
    rows: dict[str, np.ndarray]

    @property
    def seconds(self) -> float:
        """Seconds of audio to embed."""
        return sum(
            float(labelled.lengths[self.rows[name]].sum()) / labelled.sample_rate
            for name, labelled in self.sets.items()
        )

    def training_clips(self, n_clips: int = 1000) -> list[np.ndarray]:
        """Evenly chosen training clips of the tasks, at 16 kHz, for statistics."""
        chosen = []
        for task in self.tasks:
            train = self.folds[task.name][0].train
            picked = train[:: max(1, len(train) * len(self.tasks) // n_clips)]
            chosen += [self.sets[task.source].clip(int(row), 16000) for row in picked]
        return chosen


def plan(
    tasks: str | Sequence[str] = "core",
    audio: str | Path | None = None,
    cache: str | Path | None = None,
    validation: bool = False,
    max_clips: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Plan:
    """Read the sets of tasks and make their folds.

    Args:
        tasks: names, see :func:`benchmark.probes.splits.find_tasks`.
        audio: folder of tars, see :func:`benchmark.datasets.labelled_set.audio_folder`.
        cache: folder for decoded audio, see :func:`benchmark.datasets.labelled_set.cache_folder`.
        validation: whether to use validation parts instead of test parts, see :func:`benchmark.probes.splits.folds`.
        max_clips: largest number of clips of a task, for a quick look.
        seed: seed of the folds and of the choice of clips.
        progress: whether to show a progress bar while decoding.

    Returns:
        The plan.
    """
    folder = audio_folder(audio)
    found = find_tasks(list(tasks) if not isinstance(tasks, str) else tasks)
    sets = {
        name: load_set(folder / f"{name}.tar", cache, progress) for name in dict.fromkeys(task.source for task in found)
    }
    laid_out: dict[str, list[Fold]] = {}
    used: dict[str, list[np.ndarray]] = {}
    for task in found:
        manifest = sets[task.source].manifest
        laid_out[task.name] = _thinned(task, manifest, folds(task, manifest, validation, seed), max_clips, seed)
        parts = [part for fold in laid_out[task.name] for part in (fold.train, fold.test)]
        used.setdefault(task.source, []).extend(parts)
    rows = {name: np.unique(np.concatenate(parts)) for name, parts in used.items()}
    return Plan(found, sets, laid_out, rows)


def _thinned(
    task: Task, manifest: pd.DataFrame, task_folds: list[Fold], max_clips: int | None, seed: int
) -> list[Fold]:
    """Reduce the clips of folds; the choice depends on the seed alone."""
    if max_clips is None:
        return task_folds
    used = np.unique(np.concatenate([part for fold in task_folds for part in (fold.train, fold.test)]))
    kept = used[thin(task, manifest.iloc[used], max_clips, seed)]
    thinned = [
        Fold(fold.name, *(part[np.isin(part, kept)] for part in (fold.train, fold.choose, fold.test)))
        for fold in task_folds
    ]
    for fold in thinned:
        for what in ("train", "choose", "test"):
            if not len(getattr(fold, what)):
                raise ValueError(
                    f"task {task.name}: expected clips to {what} in fold {fold.name}, found none among {max_clips}: "
                    "take more clips"
                )
    return thinned
