"""Tasks are built next to the folder of tasks, all of whose entries heareval takes for tasks, and moved into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from byola_hear.utils.files import locked


@contextmanager
def built_beside(tasks_dir: Path, name: str) -> Iterator[Path]:
    """Build a task's folder, all of it or nothing.

    Args:
        tasks_dir: the folder of tasks; created if necessary. A task of the same name in it is replaced.
        name: the task's name.

    Yields:
        The folder to make.

    Raises:
        ValueError: if the folder of tasks and its parent are on different file systems.
    """
    tasks_dir.mkdir(parents=True, exist_ok=True)
    beside = tasks_dir.resolve().parent
    if os.stat(beside).st_dev != os.stat(tasks_dir).st_dev:
        raise ValueError(f"expected a folder of tasks on the same file system as its parent, got {tasks_dir}")
    _remove_abandoned(beside, name)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".building", dir=beside))
    try:
        # The lock shows that this process is still building.
        with open(temporary / "lock", "wb") as lock:
            locked(lock)
            built, folder = temporary / name, tasks_dir / name
            yield built
            if folder.exists():
                os.rename(folder, temporary / "replaced")
            os.rename(built, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_abandoned(beside: Path, name: str) -> None:
    """Remove what processes left that were killed while they built a task."""
    for folder in beside.glob(f".{name}-*.building"):
        try:
            with open(folder / "lock", "rb+") as lock:
                abandoned = locked(lock)
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(folder, ignore_errors=True)
