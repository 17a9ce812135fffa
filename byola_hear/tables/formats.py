"""The formats of tables: which there are, what the output's name says about them, and how one is put in place.

A format is a module with the functions of :class:`Format`. Its ``write`` makes a table under a temporary name;
:func:`write` gives it its own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from byola_hear.tables import as_csv, as_hdf5, as_npy, as_npz, as_parquet, as_zarr, placing
from byola_hear.tables.about import About
from byola_hear.tables.batches import Batch
from byola_hear.tables.errors import TableRefused
from byola_hear.tables.journal import Journal


class Format(Protocol):
    """What a format's module has."""

    @property
    def PLACING(self) -> placing.Placing:
        """How a table takes its name."""

    @property
    def CARRIES_ABOUT(self) -> bool:
        """Whether a table can say what it was made with and what it holds, so that it can be updated."""

    def write(self, path: Path, batches: Iterable[Batch], about: About) -> None:
        """Write a table.

        Args:
            path: where to, a file or a folder that is not there yet.
            batches: its rows, all and only those of ``about.entries``.
            about: what it is to say about itself.

        Raises:
            OSError: if it can't be written.
        """

    def read(self, path: Path) -> Iterator[Batch]:
        """A table's rows, some at a time."""

    def read_about(self, path: Path) -> About | None:
        """What a table says about itself; None if it says nothing."""


#: Formats by name.
FORMATS: dict[str, Format] = {
    "parquet": as_parquet,
    "csv": as_csv,
    "npz": as_npz,
    "hdf5": as_hdf5,
    "zarr": as_zarr,
    "npy": as_npy,
}
#: Names of formats by the ending of the output's name. ``"npy"`` has none: its output is a folder.
ENDINGS: dict[str, str] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".npz": "npz",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".zarr": "zarr",
}
#: Format → the package that it needs beyond the required ones, and the extra that brings it.
_NEEDS = {"hdf5": ("h5py", "hdf5"), "zarr": ("zarr", "zarr")}


def chosen_format(output: str | os.PathLike[str], name: str | None = None) -> tuple[Path, Format]:
    """The format of a table.

    Args:
        output: its path. A folder, there already or with a slash at the end, is of one ``.npy`` a file, unless it ends
            in ``.zarr``.
        name: of the format, whatever the path says.

    Raises:
        TableRefused: if the path does not say which or is no name, or the format needs a package that is missing or
            another Python.
    """
    path = Path(output)
    if path.name in ("", ".."):
        path = path.resolve()
    if not os.fspath(output) or not path.name:
        raise TableRefused(f"expected an output with a name, got {os.fspath(output)!r}")
    if name is None:
        name = ENDINGS.get(path.suffix.lower())
        ends_in_slash = os.fspath(output).endswith(("/", os.sep))
        if name != "zarr" and (ends_in_slash or (name is None and path.is_dir())):
            name = "npy"
    if name not in FORMATS:
        endings = ", ".join(ENDINGS)
        known = f"a format among {', '.join(FORMATS)}, got {name!r}"
        unknown = f"a table that ends in {endings}, or a folder (with a slash at its end), got {path}"
        raise TableRefused(f"expected {unknown if name is None else known}")
    if name == "zarr" and sys.version_info < (3, 11):
        raise TableRefused(f"{path} needs Python 3.11 or later, got {sys.version_info[0]}.{sys.version_info[1]}")
    package, extra = _NEEDS.get(name, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        raise TableRefused(f"{path} needs {package}: pip install 'byola-hear[{extra}]'")
    return path, FORMATS[name]


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
