"""The small task that the run is checked with: of a suite where its audio is at hand, else of the tests' clips."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.evaluation.processes import CHECKOUT
from benchmark.hear_tools.example_tasks import clips_of_folder, write_scene_task
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import prepare

#: The task that is taken if none is named.
TASK = "vocal_bursts"

#: Excerpts of each of the tests' clips by split, and seconds of each.
EXCERPTS, SECONDS = {"train": 40, "valid": 20, "test": 20}, 1.0


def check_task(name: str | None, tasks_dir: Path, sources: Path | None, progress: bool) -> Prepared:
    """A scene task with one label a file.

    Args:
        name: of a task of the suites; None for ``TASK``, or for excerpts of the tests' clips where there are no
            labelled sets.
        tasks_dir: where tasks are kept.
        sources: the labelled sets.
        progress: show a bar on stderr.

    Raises:
        ValueError: if the task is of another kind.
        FileNotFoundError: if what the named task is made of is not there.
    """
    try:
        task = prepare(name or TASK, tasks_dir, sources, progress)
    except FileNotFoundError:
        if name or sources:
            raise
        return excerpts_task(CHECKOUT / "tests" / "data", tasks_dir)
    kind = (task.metadata["embedding_type"], task.metadata["prediction_type"])
    if kind != ("scene", "multiclass"):
        raise ValueError(f"expected a task of scenes with one label each, got {task.name}, of {kind[0]}s, {kind[1]}")
    return task


def excerpts_task(clips: Path, tasks_dir: Path) -> Prepared:
    """Which of the tests' clips an excerpt is from: easy, and there wherever the checkout is. One that is there is left
    as it is, unless it is another."""
    tasks_dir.mkdir(parents=True, exist_ok=True)
    folder = tasks_dir / "excerpts"
    about = ("excerpts of the tests' clips", "which of the tests' clips an excerpt is from")
    # heareval takes every entry of the folder of tasks for one: what isn't complete is beside it.
    with TemporaryDirectory(prefix=".excerpts-", dir=tasks_dir.resolve().parent) as beside:
        built = Path(beside) / folder.name
        write_scene_task(built, clips_of_folder(clips, SECONDS, EXCERPTS), SECONDS)
        task = described(built, *about)
        try:
            there = described(folder, *about).sha256
        except (OSError, ValueError):
            there = ""
        if there != task.sha256:
            if folder.exists():
                os.rename(folder, Path(beside) / "replaced")
            os.rename(built, folder)
    return replace(task, folder=folder)


def described(folder: Path, title: str, description: str) -> Prepared:
    """A task's folder that was written here, as the run takes it."""
    digest = hashlib.sha256()
    metadata = json.loads((folder / "task_metadata.json").read_text(encoding="utf-8"))
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.csv"), *folder.glob(f"{SAMPLE_RATE}/*/*.wav")]):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return Prepared(folder.name, title, "cross", description, folder, digest.hexdigest(), metadata)
