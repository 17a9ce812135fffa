"""A table's output: checked before anything is computed, and put in place once it is complete."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from byola_hear.tables import placing
from byola_hear.tables.about import About
from byola_hear.tables.batches import Batch
from byola_hear.tables.errors import TableRefused
from byola_hear.tables.failures import check_failures_path, failures_path
from byola_hear.tables.formats import as_npy
from byola_hear.tables.formats.registry import ENDINGS, FORMATS, Format, chosen_format
from byola_hear.tables.journal.parts import Journal
from byola_hear.utils.files import PathLike, work_folder


def check_output(
    output: PathLike, format: str | None = None, *, overwrite: bool = False, update: bool = False
) -> tuple[Path, Format]:
    """Refuse, before anything is computed, an output that could not be written in the end.

    Args:
        output: the table to write.
        format: its format; None to choose it by the ending.
        overwrite: allow to replace an existing table, or to put a table into a folder with other files.
        update: allow to add to an existing table. The format must support it, even if the table does not exist yet.

    Returns:
        The output's path and its format.

    Raises:
        TableRefused: if it can't be written, or exists; or a file is in the place of its table of errors.
    """
    try:
        path, kind = chosen_format(output, format)
        if not path.absolute().parent.is_dir():
            raise TableRefused(f"the folder of {path} does not exist")
        with contextlib.suppress(FileNotFoundError):
            path.stat()  # a name that is too long, a folder that may not be entered
        if path.exists() and path.is_dir() != (kind.PLACING != "file"):
            expected, found = ("file", "folder") if path.is_dir() else ("folder", "file")
            raise TableRefused(f"expected a {expected} as the table, got the {found} {path}")
        if kind.PLACING == "folder" and path.is_dir() and not (path / "zarr.json").exists():
            raise TableRefused(f"{path} exists, and it is not a table")
        if update and not kind.CARRIES_ABOUT:
            raise TableRefused(not_updatable(path))
        check_failures_path(failures_path(path))
        if not overwrite:
            _check_free(path, kind, update)
    except OSError as error:
        raise TableRefused(f"{os.fsdecode(output)} can't be written: {error.strerror}") from error
    return path, kind


def _check_free(path: Path, kind: Format, update: bool) -> None:
    """Refuse an existing output, unless it is to be updated or a run that was killed put it there."""
    if placing.exists(kind.PLACING, path):
        if placing.identity(kind.PLACING, path) == _placed(work_folder(path)):
            return
        if not update:
            adding = ", or add the clips that it lacks (--update)" if kind.CARRIES_ABOUT else ""
            raise TableRefused(f"{path} exists; overwrite it (--overwrite){adding}")
    elif kind.PLACING == "merged" and not _placed(work_folder(path)):
        if (path / as_npy.ABOUT).exists():
            raise TableRefused(
                f"{path / as_npy.ABOUT} exists and does not belong to a table; overwrite it, or remove it"
            )
        # Most likely a folder of recordings. Empty folders in it are allowed.
        if any(files for _, _, files in os.walk(path)):
            raise TableRefused(
                f"expected a new or an empty folder, got {path}, which holds files that do not belong to a table; "
                "--overwrite puts a table among them"
            )


def not_updatable(path: Path) -> str:
    """The message for a table that can't be updated, now or later."""
    able = " ".join(ending for ending, name in ENDINGS.items() if FORMATS[name].CARRIES_ABOUT)
    does = "does" if path.exists() else "would"
    return (
        f"{path} {does} not contain the settings that it was made with, so it can be overwritten but not updated; "
        f"tables that can be updated: {able} and folders of .npy"
    )


def write(
    kind: Format, output: Path, journal: Journal, batches: Iterable[Batch], about: About, overwrite: bool
) -> None:
    """Write a table under a temporary name, then rename it.

    Args:
        kind: the table's format.
        output: the table's path.
        journal: its work folder.
        batches: its rows.
        about: its record of itself.
        overwrite: allow to replace files that do not belong to the old table.

    Raises:
        TableError: if a file that does not belong to the old table is in the way.
        OSError: if the table can't be written.
    """
    new = journal.folder / "new"
    placing.remove(new)
    try:
        kind.write(new, batches, about)
        if not overwrite:
            placing.check_free(kind.PLACING, new, output)
    except BaseException:
        placing.remove(new)
        raise
    journal.write_json("placed.json", placing.identity(kind.PLACING, new))
    placing.place(kind.PLACING, new, output, journal.folder / "replaced")


def recover(kind: Format, output: Path, folder: Path) -> None:
    """Repair what a process left that was killed while it wrote or renamed the table."""
    placing.recover(kind.PLACING, folder / "new", output, folder / "replaced", _placed(folder))


def _placed(folder: Path) -> list[int]:
    """The identity of the table that was complete and about to be renamed; empty if there was none."""
    try:
        return list(json.loads((folder / "placed.json").read_bytes()))
    except (FileNotFoundError, ValueError):
        return []
