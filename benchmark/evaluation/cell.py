"""One model on one task: embed, train the probes, read their scores. Results are cached."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.comparison.outcome import Outcome, load_outcome
from benchmark.evaluation.processes import Failed, Processes
from benchmark.evaluation.settings import ProbeSettings, embeddings_key, outcome_key, versions
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared
from byola_hear.utils.files import locked

#: Numbers of embeddings in memory at a time.
_BLOCK = 16_000_000


@dataclass(frozen=True)
class RunCell:
    """A cell of a run: one model on one task.

    Attributes:
        model: the model, a row of the table.
        task: the task, a column.
        settings: heareval's settings.
    """

    model: ModelRow
    task: Prepared
    settings: ProbeSettings

    @property
    def key(self) -> str:
        """Name of its outcome in the cache."""
        return outcome_key(self.task.sha256, self.model.identity, self.settings)

    @property
    def embeddings_key(self) -> str:
        """Name of its embeddings in the cache."""
        return embeddings_key(self.task.sha256, self.model.identity)


class Cache:
    """Outcomes, embeddings and logs, each under a hash of everything that it depends on.

    Args:
        folder: created if necessary; safe to delete while nothing runs.

    Attributes:
        folder: contains ``outcomes``, ``embeddings``, ``work`` and ``logs``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        for name in ("outcomes", "embeddings", "work", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def outcome(self, cell: RunCell) -> Path:
        """Path of a cell's outcome."""
        return self.folder / "outcomes" / f"{cell.key}.npz"

    def embeddings(self, cell: RunCell) -> Path:
        """The folder that heareval writes a cell's embeddings to."""
        return self.folder / "embeddings" / cell.embeddings_key

    def work(self, cell: RunCell) -> Path:
        """The folder that heareval's predictions run in; it is removed afterwards."""
        return self.folder / "work" / cell.key

    def log(self, cell: RunCell) -> Path:
        """The output of a cell's commands."""
        return self.folder / "logs" / f"{cell.key}.log"

    @contextmanager
    def held(self, cell: RunCell) -> Iterator[None]:
        """Lock a cell's embeddings.

        Raises:
            Failed: if another run has locked them.
        """
        with open(self.folder / "embeddings" / f"{cell.embeddings_key}.lock", "ab") as lock:
            if not locked(lock):
                raise Failed("another run is working on this model and task; run again when it has finished")
            yield

    def size(self) -> int:
        """Size of the cached embeddings, bytes."""
        return folder_bytes(self.folder / "embeddings")


def measure(cell: RunCell, cache: Cache, processes: Processes, keep_embeddings: bool = False) -> Outcome:
    """Measure a cell, or find its outcome in the cache.

    Args:
        cell: the cell.
        cache: the cache; the outcome is added to it.
        processes: runs the commands.
        keep_embeddings: keep the embeddings in the cache, for another grid.

    Returns:
        The outcome.

    Raises:
        Failed: if a command failed, whose output is in the cache's log, or embeddings are not finite.
        Stopped: if the run was stopped.
    """
    path = cache.outcome(cell)
    found = cached(cell, cache)
    if found:
        return found
    with cache.held(cell):
        log = cache.log(cell)
        log.unlink(missing_ok=True)
        folder = embed(cell, cache, processes, log)
        if fault := not_finite(folder):
            shutil.rmtree(cache.embeddings(cell))
            raise Failed(fault)
        predict(cell, cache, processes, folder, log)
        if not keep_embeddings:
            shutil.rmtree(cache.embeddings(cell))
    return load_outcome(path)


def cached(cell: RunCell, cache: Cache) -> Outcome | None:
    """The cached outcome of a cell under the cell's current names; None if it has not been measured."""
    path = cache.outcome(cell)
    if not path.is_file():
        return None
    try:
        outcome = load_outcome(path)
    except ValueError:
        return None  # damaged; it is measured again
    # The same weights and files may have had other names.
    return Outcome(**{**vars(outcome), "model": cell.model.name, "task": cell.task.name})


def embed(cell: RunCell, cache: Cache, processes: Processes, log: Path) -> Path:
    """Embed with heareval's own command, unless the embeddings are cached.

    Returns:
        heareval's folder of embeddings, ``EMBEDDINGS/MODEL/TASK``.

    Raises:
        Failed: if the command failed or its output is not complete.
    """
    folder = cache.embeddings(cell)
    there = find_embeddings(folder, cell.task.name)
    if there:
        return there
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    arguments = ["--tasks-dir", str(cell.task.folder.parent.resolve()), "--task", cell.task.name]
    arguments += ["--embeddings-dir", str(folder), *cell.model.options()]
    processes.run(["-m", "benchmark.evaluation.embed_job", cell.model.module, *arguments], log, folder)
    done = find_embeddings(folder, cell.task.name)
    if not done:
        raise Failed("heareval's embeddings are incomplete")
    return done


def find_embeddings(folder: Path, task: str) -> Path | None:
    """heareval's folder of a task's embeddings if heareval marked it as done and all arrays have the right size."""
    for mark in folder.glob(f"*/{task}/.done.embeddings"):
        try:
            metadata = json.loads((mark.parent / "task_metadata.json").read_text(encoding="utf-8"))
            for split in metadata["splits"]:
                rows, columns = json.loads((mark.parent / f"{split}.embedding-dimensions.json").read_text())
                array, labels = (mark.parent / f"{split}.{name}" for name in ("embeddings.npy", "target-labels.pkl"))
                if array.stat().st_size != rows * columns * 4 or not labels.stat().st_size:
                    return None
        except (OSError, ValueError, KeyError):
            return None
        return mark.parent
    return None


def not_finite(folder: Path) -> str:
    """Find embeddings that are not finite: heareval's probes end on them without a reason.

    Args:
        folder: heareval's embeddings of a task, ``(n, size)`` float32 in a file for each split.

    Returns:
        What is wrong, for a message; empty if nothing is.
    """
    for file in sorted(folder.glob("*.embeddings.npy")):
        values = np.memmap(file, np.float32, "r") if file.stat().st_size else np.empty(0, np.float32)
        for start in range(0, len(values), _BLOCK):
            if not np.isfinite(values[start : start + _BLOCK]).all():
                split = file.name.removesuffix(".embeddings.npy")
                return f"expected finite embeddings, got NaN or infinity in those of the split {split}"
    return ""


def predict(cell: RunCell, cache: Cache, processes: Processes, embeddings: Path, log: Path) -> None:
    """Train and test probes with heareval's own command in a temporary folder, and write the outcome to the cache."""
    work = cache.work(cell)
    # A folder of an interrupted run is of no use: heareval can't continue from the middle.
    shutil.rmtree(work, ignore_errors=True)
    (work / cell.task.name).mkdir(parents=True)
    try:
        for file in embeddings.iterdir():
            if file.is_file():
                link(file, work / cell.task.name / file.name)
        profile = json.loads((embeddings / "profile.embeddings.json").read_text())
        about = {
            "task": cell.task.name,
            "task_sha256": cell.task.sha256,
            "model": cell.model.name,
            "model_identity": cell.model.identity,
            "settings": {
                **cell.settings.about(),
                "versions": versions(),
                "note": cell.model.note,
                "embedding_seconds": profile["time_elapsed"],
                "embedding_bytes": folder_bytes(embeddings),
            },
        }
        job = {
            "arguments": [cell.task.name, *cell.settings.arguments()],
            "standardise": cell.settings.standardise,
            "folder": cell.task.name,
            "about": about,
            "outcome": str(cache.outcome(cell)),
        }
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        processes.run(["-m", "benchmark.evaluation.predict_job", "job.json"], log, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def link(file: Path, target: Path) -> None:
    """Link a file, or copy it if the file system has no links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def folder_bytes(folder: Path) -> int:
    """Size of all files in a folder and below, bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
