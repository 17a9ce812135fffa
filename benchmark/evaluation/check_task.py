"""The small task for the checks: a task of a suite if its audio is available, else one made of the test clips."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmark import CLIPS
from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.evaluation.options import grid, grid_points, sources
from benchmark.hear_tools.example_tasks import clips_of_folder, write_scene_task
from benchmark.reporting.options import Function, cache, joined
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import prepare

#: The default task.
TASK = "vocal_bursts"

#: Number of excerpts of each test clip by split, and their length, s.
EXCERPTS, SECONDS = {"train": 40, "valid": 20, "test": 20}, 1.0


def check_options(command: Function) -> Function:
    """Add ``task``, ``model``, ``grid``, ``grid_points``, ``sources`` and ``cache`` to the command of a check."""
    task = click.option(
        "--task",
        metavar="NAME",
        help=f"Scene task to run. Default: {TASK}; a task of the test clips if there are no labelled sets.",
    )
    model = click.option(
        "--model", default="both", show_default=True, help="Network or baseline by name, or path of a checkpoint."
    )
    return joined(task, model, grid, grid_points(2), sources, cache)(command)


def check_task(name: str | None, tasks_dir: Path, sources: Path | None, progress: bool) -> Prepared:
    """Prepare a scene task with one label for each file.

    Args:
        name: name of a task; if None, ``TASK``, or a task of the test clips if there are no labelled sets.
        tasks_dir: the folder of tasks.
        sources: the folder of labelled sets.
        progress: show a bar on stderr.

    Raises:
        ValueError: if the task is of another kind.
        FileNotFoundError: if the sources of the named task are missing.
    """
    try:
        task = prepare(name or TASK, tasks_dir, sources, progress)
    except FileNotFoundError:
        if name or sources:
            raise
        return excerpts_task(CLIPS, tasks_dir)
    kind = (task.metadata["embedding_type"], task.metadata["prediction_type"])
    if kind != ("scene", "multiclass"):
        raise ValueError(f"expected a multiclass scene task, got {task.name}, a {kind[1]} {kind[0]} task")
    return task


def excerpts_task(clips: Path, tasks_dir: Path) -> Prepared:
    """Build an easy task that needs nothing but the checkout: which test clip is an excerpt from? An existing task is
    left as it is if its content is the same.

    Args:
        clips: the folder of test clips.
        tasks_dir: the folder of tasks; created if necessary.
    """
    tasks_dir.mkdir(parents=True, exist_ok=True)
    folder = tasks_dir / "excerpts"
    about = ("excerpts of the test clips", "which test clip an excerpt is from")
    # heareval takes every entry of the folder of tasks for a task, so an incomplete one is kept next to the folder.
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
    """A task in a folder, with a hash of its files."""
    digest = hashlib.sha256()
    metadata = json.loads((folder / "task_metadata.json").read_text(encoding="utf-8"))
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.csv"), *folder.glob(f"{SAMPLE_RATE}/*/*.wav")]):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return Prepared(folder.name, title, "cross", description, folder, digest.hexdigest(), metadata)
