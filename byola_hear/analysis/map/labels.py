"""Labels for the clips of a map: their folders, or a column of a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

#: The label of a clip that the CSV file does not name.
NONE = "(no label)"
#: The label of a file beside the folders that the others are in.
TOP = "(top folder)"
#: Columns in which a file's name may stand.
FILE_COLUMNS = ("file", "filename", "path")


class LabelError(ValueError):
    """A file of labels that can't be used; the message names it and says why."""


def folder_labels(files: Sequence[str]) -> list[str]:
    """The folder that each file is in, seen from the folder that holds all of them.

    Args:
        files: paths.

    Returns:
        A label each.

    Example:
        >>> folder_labels(["a/dogs/1.wav", "a/cats/2.wav", "a/cats/big/3.wav", "a/4.wav"])
        ['dogs', 'cats', 'cats/big', '(top folder)']
    """
    folders = [PurePath(os.path.abspath(file)).parent for file in files]
    try:
        top = os.path.commonpath(folders) if folders else ""
        below = [os.path.relpath(folder, top) for folder in folders]
    except ValueError:  # on several drives
        below = [str(folder) for folder in folders]
    return [TOP if folder == os.curdir else PurePath(folder).as_posix() for folder in below]


def read_labels(path: str | os.PathLike[str], files: Sequence[str], column: str = "label") -> list[str]:
    """Labels out of a CSV file.

    A row is of the clip whose path it names, as it stands or from the CSV file's folder; otherwise, of the only clip
    whose path ends in it.

    Args:
        path: a CSV file in UTF-8 with a line of names, among them :data:`FILE_COLUMNS`' first that is there.
        files: paths.
        column: the label's column.

    Returns:
        A label each; :data:`NONE` for a file that no row names.

    Raises:
        FileNotFoundError: if there is no such file.
        LabelError: if it is no such CSV file, names a file twice with two labels, or names none of the files.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file of labels: {path}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            names = reader.fieldnames or []
            key = next((name for name in FILE_COLUMNS if name in names), None)
            if key is None or column not in names:
                shown = ", ".join(names) or "none"
                raise LabelError(f"{path}: expected the columns file and {column}, got {shown}")
            rows = [(row[key], row[column]) for row in reader if row[key]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    by_path: dict[str, set[int]] = {}
    by_end: dict[str, set[int]] = {}
    for index, file in enumerate(files):
        by_path.setdefault(os.path.abspath(file), set()).add(index)
        parts = PurePath(os.path.abspath(file)).parts
        for length in range(1, len(parts)):
            by_end.setdefault("/".join(parts[-length:]), set()).add(index)
    found: dict[int, str] = {}
    for name, label in rows:
        for index in _meant(name, path.parent, files, by_path, by_end):
            if found.setdefault(index, label) != label:
                raise LabelError(f"{path}: two labels for {files[index]}: {found[index]!r} and {label!r}")
    if files and not found:
        raise LabelError(f"{path}: names none of the {len(files)} clips; the first is {files[0]}")
    return [found.get(index) or NONE for index in range(len(files))]


def _meant(
    name: str, folder: Path, files: Sequence[str], by_path: dict[str, set[int]], by_end: dict[str, set[int]]
) -> set[int]:
    """The clips, all of one file, that a row names."""
    for path in (os.path.abspath(name), os.path.abspath(folder / name)):
        if path in by_path:
            return by_path[path]
    ends = by_end.get("/".join(PurePath(os.path.normpath(name)).parts), set())
    return ends if len({os.path.abspath(files[index]) for index in ends}) == 1 else set()
