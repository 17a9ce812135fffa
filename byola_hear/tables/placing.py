"""How a table that was written under a temporary name takes its own: a file, a folder, or files among others."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import Literal

from byola_hear.tables.errors import TableError

#: ``"file"``: one file. ``"folder"``: a folder that is all the table's. ``"merged"``: files in a folder that may hold
#: others too; its ``index.csv`` lists them in the column ``npy``.
Placing = Literal["file", "folder", "merged"]
#: What lists the files of a merged table, and is put in place last.
INDEX = "index.csv"


def exists(placing: Placing, path: Path) -> bool:
    """Whether there is a table of this name."""
    return (path / INDEX).exists() if placing == "merged" else path.exists()


def identity(placing: Placing, path: Path) -> list[int]:
    """What tells a table from any other and stays the same when it takes another name."""
    status = os.stat(path / INDEX if placing == "merged" else path)
    return [status.st_dev, status.st_ino, status.st_mtime_ns]


def check_free(placing: Placing, new: Path, path: Path) -> None:
    """Make sure that no file would be replaced but the old table's.

    Args:
        placing: how the table will be put in place.
        new: the table under its temporary name.
        path: its name to be.

    Raises:
        TableError: if a stranger's file would be.
    """
    if placing != "merged":
        return
    old = set(_listed(path))
    for name in _listed(new):
        if name not in old and (path / name).exists():
            raise TableError(f"{path / name} is there already and is not the table's; overwrite it, or remove it")


def place(placing: Placing, new: Path, path: Path, aside: Path) -> None:
    """Give a table its name. Where this was cut off in the middle of many files, it can be called again.

    Args:
        placing: how.
        new: the table under its temporary name, on the same disk.
        path: its name to be.
        aside: where a folder that is replaced is kept until it is.

    Raises:
        TableError: if a file would end up elsewhere.
        OSError: if it can't be done.
    """
    if placing == "file":
        with open(new, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(new, path)
    else:
        _sync_all()
        if placing == "folder":
            if path.exists():
                os.replace(path, aside)
            os.replace(new, path)
            remove(aside)
        else:
            _merge(new, path)
    sync_folder(path.absolute().parent)


def recover(placing: Placing, new: Path, path: Path, aside: Path, placed: list[int]) -> None:
    """Put right what a process left that was killed while it gave a table its name.

    Args:
        placing: how.
        new: the table under its temporary name, if it is there still.
        path: its name to be.
        aside: where a folder that was about to be replaced is kept.
        placed: the :func:`identity` of the complete table that was about to be placed.
    """
    if placing == "folder" and aside.exists() and not path.exists():
        os.replace(aside, path)
    if placing == "merged" and exists(placing, new) and identity(placing, new) == placed:
        place(placing, new, path, aside)
    remove(aside)
    remove(new)


def _merge(new: Path, path: Path) -> None:
    old, names = _listed(path), _listed(new)
    others = [entry.name for entry in new.iterdir() if entry.is_file() and entry.name != INDEX]
    path.mkdir(exist_ok=True)
    inside = path.resolve()
    for name in dict.fromkeys([*names, *others, INDEX]):
        if (new / name).exists():
            parent = (path / name).parent
            if not parent.resolve().is_relative_to(inside):
                raise TableError(f"{path / name} would lie outside of {path}: one of its folders is a link")
            parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / name, path / name)
    for name in set(old).difference(names):
        (path / name).unlink(missing_ok=True)
    _sync_all()
    remove(new)


def _listed(folder: Path) -> list[str]:
    """The files that a folder's index lists; none if there is no index."""
    try:
        with open(folder / INDEX, newline="", encoding="utf-8", errors="surrogateescape") as stream:
            names = dict.fromkeys(row["npy"] for row in csv.DictReader(stream))
    except (FileNotFoundError, NotADirectoryError, KeyError):
        return []
    for name in names:
        check_inside(folder, name)
    return list(names)


def check_inside(folder: Path, name: str) -> None:
    """Make sure that a name from an index is that of a file in the index's folder.

    Raises:
        TableError: if it is not.
    """
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise TableError(f"{folder / INDEX} lists a file that is not in its folder: {name!r}")


def _sync_all() -> None:
    """Put the many files of a folder on disk at once."""
    if hasattr(os, "sync"):
        os.sync()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
