"""The formats of tables: which there are, and what the output's name says about them.

A format is a module with the functions of :class:`Format`. Its ``write`` makes a table under a temporary name;
:func:`byola_hear.tables.output.write` gives it its own.
"""

from __future__ import annotations

import importlib.util
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
