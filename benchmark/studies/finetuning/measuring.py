"""Fine-tuning of one network on the clips of a task, as a user would do it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

import byola_hear
from benchmark.datasets.labelled_set import LabelledSet
from benchmark.probes.splits import Task, groups_of
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.run import Progress

#: Raise it when a change here changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 2


def rows_of(task: Task, labelled: LabelledSet) -> np.ndarray:
    """``(n,)`` positions of a task's clips in its set."""
    if task.subset is None:
        return np.arange(len(labelled))
    column, value = task.subset
    return np.flatnonzero(labelled.manifest[column] == value)


def write_clips(folder: Path, task: Task, labelled: LabelledSet) -> pd.DataFrame:
    """Write a task's clips as WAV; those that exist stay, so that an unfinished run continues.

    Returns:
        A label for each clip: ``file``, ``start``, ``end``, ``label``, ``group``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups, lines = groups_of(task, labelled.manifest), []
    for row in rows_of(task, labelled):
        file = folder / f"{row:05d}.wav"
        if not file.exists():
            temporary = file.with_suffix(".partial")
            soundfile.write(temporary, labelled.clip(int(row)), labelled.sample_rate, "PCM_16", format="WAV")
            temporary.replace(file)
        label = labelled.manifest[task.label].iloc[row]
        lines.append((str(file), 0.0, labelled.lengths[row] / labelled.sample_rate, label, groups[row]))
    return pd.DataFrame(lines, columns=["file", "start", "end", "label", "group"])


def measured(
    model: str,
    task: Task,
    labelled: LabelledSet,
    recipe: Recipe,
    folder: Path,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Fine-tune a network on a task with whole groups held out, and compare it with the frozen one.

    Args:
        model: name or checkpoint.
        task: the task.
        labelled: its set.
        recipe: how to train.
        folder: where to work; an unfinished run in it continues, and it is removed in the end.
        on_progress: called now and then.

    Returns:
        ``frozen`` and ``tuned``, mean average precision of the held-out clips; ``low`` and ``high``, the 95 % interval
        of the difference, over groups; ``kept``, whether fine-tuning counts as better; ``clips``, ``groups``,
        ``folds``; and ``curves``: for each fold its mean average precision after each epoch, from 0 on.
    """
    table = write_clips(folder / "clips", task, labelled)
    curves: dict[str, tuple[float, ...]] = {}

    def noted(progress: Progress) -> None:
        if progress.errors:
            curves[progress.what] = progress.errors
        if on_progress is not None:
            on_progress(progress)

    result = byola_hear.finetune(
        table,
        folder / "tuned.safetensors",
        model=model,
        group="group",
        recipe=recipe,
        overwrite=True,
        on_progress=noted,
    )
    compared = result.comparison
    shutil.rmtree(folder)
    return {
        "frozen": compared.frozen,
        "tuned": compared.tuned,
        "low": compared.low,
        "high": compared.high,
        "kept": compared.better,
        "clips": len(table),
        "groups": int(table["group"].nunique()),
        "folds": compared.n_folds,
        "curves": [[1 - error for error in errors] for errors in curves.values()],
    }
