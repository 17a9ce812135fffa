"""One model on one task: embed, probe, read; from the cache where it was done before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmark.comparison.outcome import Outcome, load_outcome
from benchmark.evaluation.processes import Failed, Processes
from benchmark.evaluation.settings import Settings, embeddings_key, outcome_key, versions
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared
from byola_hear.utils.files import locked


@dataclass(frozen=True)
class Cell:
    """One model on one task.

    Attributes:
        model: the row.
        task: the column.
        settings: heareval's.
    """

    model: ModelRow
    task: Prepared
    settings: Settings

    @property
    def key(self) -> str:
        """Its name in the cache."""
        return outcome_key(self.task.sha256, self.model.identity, self.settings)

    @property
    def embeddings_key(self) -> str:
        """Its embeddings' name in the cache."""
        return embeddings_key(self.task.sha256, self.model.identity)


class Cache:
    """Where outcomes, embeddings and logs are kept, each under a hash of what it depends on.

    Args:
        folder: made if need be; safe to delete while nothing runs.

    Attributes:
        folder: ``outcomes``, ``embeddings``, ``work`` and ``logs`` are in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        for name in ("outcomes", "embeddings", "work", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def outcome(self, cell: Cell) -> Path:
        """Where a cell's outcome is, or will be."""
        return self.folder / "outcomes" / f"{cell.key}.npz"

    def embeddings(self, cell: Cell) -> Path:
        """The folder that heareval is told to put a cell's embeddings in."""
        return self.folder / "embeddings" / cell.embeddings_key

    def work(self, cell: Cell) -> Path:
        """The folder that heareval predicts in; removed when done."""
        return self.folder / "work" / cell.key

    def log(self, cell: Cell) -> Path:
        """What the commands said."""
        return self.folder / "logs" / f"{cell.key}.log"

    @contextmanager
    def held(self, cell: Cell) -> Iterator[None]:
        """Keep other runs away from a cell's embeddings.

        Raises:
            Failed: if another run is at them.
        """
        with open(self.folder / "embeddings" / f"{cell.embeddings_key}.lock", "ab") as lock:
            if not locked(lock):
                raise Failed("another run is at this model and task; start again when it is done")
            yield

    def size(self) -> int:
        """Bytes of the embeddings that are kept."""
        return folder_bytes(self.folder / "embeddings")


def measure(cell: Cell, cache: Cache, processes: Processes, keep_embeddings: bool = False) -> Outcome:
    """The outcome of a cell.

    Args:
        cell: what to measure.
        cache: looked into first, and added to.
        processes: runs the commands.
        keep_embeddings: leave the embeddings in the cache, for another grid.

    Returns:
        The outcome.

    Raises:
        Failed: if a command failed; the cache's log has all that it said.
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
        predict(cell, cache, processes, folder, log)
        if not keep_embeddings:
            shutil.rmtree(cache.embeddings(cell))
    return load_outcome(path)


def cached(cell: Cell, cache: Cache) -> Outcome | None:
    """The outcome of a cell if it was measured before; names and descriptions are those of now."""
    path = cache.outcome(cell)
    if not path.is_file():
        return None
    try:
        outcome = load_outcome(path)
    except ValueError:
        return None  # damaged; measured anew
    # Equal weights and equal files under another name give the same numbers.
    return Outcome(**{**vars(outcome), "model": cell.model.name, "task": cell.task.name})


def embed(cell: Cell, cache: Cache, processes: Processes, log: Path) -> Path:
    """Embeddings by heareval's own command, unless they are there.

    Returns:
        heareval's folder of them, ``EMBEDDINGS/MODEL/TASK``.
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
        raise Failed("heareval's embeddings are not complete")
    return done


def find_embeddings(folder: Path, task: str) -> Path | None:
    """heareval's folder of a task's embeddings, if it is complete: its mark is there, and every array of its length."""
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


def predict(cell: Cell, cache: Cache, processes: Processes, embeddings: Path, log: Path) -> None:
    """Probes by heareval's own command, in a folder of their own, and the outcome into the cache."""
    work = cache.work(cell)
    # A folder that an earlier run left is not taken up: heareval can't go on in the middle.
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
            "folder": cell.task.name,
            "about": about,
            "outcome": str(cache.outcome(cell)),
        }
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        processes.run(["-m", "benchmark.evaluation.predict_job", "job.json"], log, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def link(file: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system can't."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def folder_bytes(folder: Path) -> int:
    """Bytes in a folder's files, those below it too."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
