"""How a table that was written under a temporary name is renamed: a file, a folder, or files among others."""

from __future__ import annotations

import csv
import errno
import os
import shutil
from pathlib import Path
from typing import Literal

from byola_hear.tables.errors import TableError
from byola_hear.utils.files import take_permissions

#: ``"file"``: one file. ``"folder"``: a folder that belongs to the table. ``"merged"``: files in a folder that
#: may hold others as well; its ``index.csv`` lists them in the column ``npy``.
Placing = Literal["file", "folder", "merged"]
#: The list of the files of a merged table. It is put in place last.
INDEX = "index.csv"


def exists(placing: Placing, path: Path) -> bool:
    """Whether a table exists at this path."""
    return (path / INDEX).exists() if placing == "merged" else path.exists()


def identity(placing: Placing, path: Path) -> list[int]:
    """Numbers that distinguish a table from any other and do not change when it is renamed."""
    status = os.stat(path / INDEX if placing == "merged" else path)
    return [status.st_dev, status.st_ino, status.st_mtime_ns]


def check_free(placing: Placing, new: Path, path: Path) -> None:
    """Refuse to replace files that do not belong to the old table.

    Args:
        placing: how the table will be put in place.
        new: the table under its temporary name.
        path: its final path.

    Raises:
        TableError: if such a file is in the way.
    """
    if placing != "merged":
        return
    old = set(_listed(path))
    for name in _listed(new):
        if name not in old and (path / name).exists():
            raise TableError(f"{path / name} exists and does not belong to the table; overwrite it, or remove it")


def place(placing: Placing, new: Path, path: Path, aside: Path) -> None:
    """Rename a table. If this was interrupted in the middle of many files, call it again.

    Args:
        placing: how the table is put in place.
        new: the table under its temporary name, on the same disk.
        path: its final path.
        aside: where to keep a folder that is replaced until the new one is in place.

    Raises:
        TableError: if a file would end up outside of the table's folder.
        OSError: if the system refuses.
    """
    if placing == "file":
        with open(new, "rb+") as stream:
            os.fsync(stream.fileno())
        if path.exists():
            take_permissions(new, path)
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
    """Repair what a process left that was killed while it renamed a table.

    Args:
        placing: how the table is put in place.
        new: the table under its temporary name, if it still exists.
        path: its final path.
        aside: where a folder that was about to be replaced is kept.
        placed: the :func:`identity` of the complete table that was about to be renamed.
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
        with open(folder / INDEX, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            names = dict.fromkeys(row["npy"] for row in csv.DictReader(stream))
    except (FileNotFoundError, NotADirectoryError, KeyError):
        return []
    for name in names:
        check_inside(folder, name)
    return list(names)


def check_inside(folder: Path, name: str) -> None:
    """Refuse a name in an index that leads out of the index's folder.

    Raises:
        TableError: if it does.
    """
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise TableError(f"{folder / INDEX} lists a file that is not in its folder: {name!r}")


def _sync_all() -> None:
    """Flush the many files of a folder to disk together."""
    if hasattr(os, "sync"):
        os.sync()


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, as fsync does for the content of a file, where the file system can do it."""
    if os.name != "posix":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        # As PostgreSQL does: some network file systems flush no folders, and a folder may be writable but not readable.
        if error.errno not in (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
