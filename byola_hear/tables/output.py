"""A table's output: refused before anything is computed where it can't be written, and put in place once complete."""

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
from byola_hear.tables.formats import as_npy
from byola_hear.tables.formats.registry import ENDINGS, FORMATS, Format, chosen_format
from byola_hear.tables.journal.parts import Journal


def check_output(
    output: str | os.PathLike[str], format: str | None = None, *, overwrite: bool = False, update: bool = False
) -> tuple[Path, Format]:
    """Refuse, before anything is computed, an output that could not be written in the end.

    Args:
        output: the table to be.
        format: its format, where the ending is not to decide.
        overwrite: a table that is there may be replaced, or put into a folder with other files.
        update: a table that is there will be added to; of a format that can't be, neither may the first be begun so.

    Returns:
        The output's path and its format.

    Raises:
        TableRefused: if it can't be written, or is there already.
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
            raise TableRefused(f"{path} is there already, and it is no table")
        if update and not kind.CARRIES_ABOUT:
            raise TableRefused(not_updatable(path))
        if not overwrite:
            _check_free(path, kind, update)
    except OSError as error:
        raise TableRefused(f"{os.fspath(output)} can't be written: {error.strerror}") from error
    return path, kind


def _check_free(path: Path, kind: Format, update: bool) -> None:
    """Refuse an output that is there already, unless it is to be updated or a run that was killed placed it."""
    if placing.exists(kind.PLACING, path):
        if placing.identity(kind.PLACING, path) == _placed(work_folder(path)):
            return
        if not update:
            adding = " (--overwrite), or update it with the clips that it lacks (--update)"
            raise TableRefused(f"{path} exists; overwrite it{adding if kind.CARRIES_ABOUT else ' (--overwrite)'}")
    elif kind.PLACING == "merged" and not _placed(work_folder(path)):
        if (path / as_npy.ABOUT).exists():
            raise TableRefused(
                f"{path / as_npy.ABOUT} is there already and is not a table's; overwrite it, or remove it"
            )
        # A folder of recordings, most likely. Other folders in it may be there, as long as nothing is in them.
        if any(files for _, _, files in os.walk(path)):
            raise TableRefused(
                f"expected a new or an empty folder, got {path}, which holds files that are not a table's; "
                "--overwrite puts a table among them"
            )


def not_updatable(path: Path) -> str:
    """Why a table can't be updated, now or later."""
    able = " ".join(ending for ending, name in ENDINGS.items() if FORMATS[name].CARRIES_ABOUT)
    does = "does" if path.exists() else "would"
    return (
        f"{path} {does} not say what it was made with, so it can't be updated, only overwritten; "
        f"tables that can: {able} and folders of .npy"
    )


def work_folder(output: Path) -> Path:
    """The folder in which a table's rows wait for it to be complete."""
    return output.with_name(f"{output.name}.parts")


def write(
    kind: Format, output: Path, journal: Journal, batches: Iterable[Batch], about: About, overwrite: bool
) -> None:
    """Write a table under another name, then give it its own.

    Args:
        kind: its format.
        output: its name.
        journal: its work folder.
        batches: its rows.
        about: what it is to say about itself.
        overwrite: files that are not the old table's may be replaced too.

    Raises:
        TableError: if files would be replaced that may not be.
        OSError: if it can't be written.
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
    """Put right what a process left that was killed while it wrote the table or gave it its name."""
    placing.recover(kind.PLACING, folder / "new", output, folder / "replaced", _placed(folder))


def _placed(folder: Path) -> list[int]:
    """The identity of the table that was complete and about to be given its name; none if it did not come to that."""
    try:
        return list(json.loads((folder / "placed.json").read_bytes()))
    except (FileNotFoundError, ValueError):
        return []
