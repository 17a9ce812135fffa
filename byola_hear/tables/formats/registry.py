"""The formats of tables, and how an output's name decides its format.

A format is a module with the members of :class:`Format`. Its ``write`` makes a table under a temporary name;
:func:`byola_hear.tables.output.write` renames it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from byola_hear.tables import placing
from byola_hear.tables.about import About
from byola_hear.tables.batches import Batch
from byola_hear.tables.errors import TableRefused
from byola_hear.tables.formats import as_csv, as_hdf5, as_npy, as_npz, as_parquet, as_zarr
from byola_hear.utils.files import PathLike
from byola_hear.utils.optional import lack


class Format(Protocol):
    """The members of a format's module."""

    @property
    def PLACING(self) -> placing.Placing:
        """How a table is put in place."""

    @property
    def CARRIES_ABOUT(self) -> bool:
        """Whether a table has a record of its settings and clips, so that it can be updated."""

    def write(self, path: Path, batches: Iterable[Batch], about: About) -> None:
        """Write a table.

        Args:
            path: where to write it, a file or a folder that does not exist yet.
            batches: its rows, exactly those of ``about.entries``.
            about: its record of itself.

        Raises:
            OSError: if it can't be written.
        """

    def read(self, path: Path) -> Iterator[Batch]:
        """Read a table's rows, some at a time."""

    def read_about(self, path: Path) -> About | None:
        """Read a table's record of itself; None if it has none."""


#: Formats by name.
FORMATS: dict[str, Format] = {
    "parquet": as_parquet,
    "csv": as_csv,
    "npz": as_npz,
    "hdf5": as_hdf5,
    "zarr": as_zarr,
    "npy": as_npy,
}
#: Names of formats by the ending of the output's name. ``"npy"`` has no ending, because its output is a folder.
ENDINGS: dict[str, str] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".npz": "npz",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".zarr": "zarr",
}
#: Format → the optional package that it needs, and the extra that installs it.
_NEEDS = {"hdf5": ("h5py", "hdf5"), "zarr": ("zarr", "zarr")}


def chosen_format(output: PathLike, name: str | None = None) -> tuple[Path, Format]:
    """Choose the format of a table.

    Args:
        output: the table's path. An existing folder, or a path with a slash at its end, is a folder with one ``.npy``
            per file, unless it ends in ``.zarr``.
        name: the format's name; None to choose it by the path.

    Returns:
        The table's path and its format.

    Raises:
        TableRefused: if the ending is unknown, the path is empty, or the format needs a newer Python or a package
            that is not installed or can't be imported.
    """
    output = os.fsdecode(output)
    path = Path(output)
    if path.name in ("", ".."):
        path = path.resolve()
    if not output or not path.name:
        raise TableRefused(f"expected an output with a name, got {output!r}")
    if name is None:
        name = ENDINGS.get(path.suffix.lower())
        ends_in_slash = output.endswith(("/", os.sep))
        if name != "zarr" and (ends_in_slash or (name is None and path.is_dir())):
            name = "npy"
    if name not in FORMATS:
        endings = ", ".join(ENDINGS)
        known = f"a format among {', '.join(FORMATS)}, got {name!r}"
        unknown = f"a table that ends in {endings}, or a folder (with a slash at its end), got {path}"
        raise TableRefused(f"expected {unknown if name is None else known}")
    if name == "zarr" and sys.version_info < (3, 11):
        raise TableRefused(f"{path} needs Python 3.11 or later, got {sys.version_info[0]}.{sys.version_info[1]}")
    if name in _NEEDS:
        package, extra = _NEEDS[name]
        needed = lack(package, package, extra)
        if needed:
            raise TableRefused(f"{path} needs {needed}")
    return path, FORMATS[name]
