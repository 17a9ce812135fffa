"""Labels of the clips on a map: their folders, or a column of a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from byola_hear.utils.text import as_utf8, csv_separator

#: Label of a clip that the CSV file does not name.
NONE = "(no label)"
#: Label of a file in the top folder, next to the folders of the others.
TOP = "(top folder)"
#: Accepted names of the column with the files.
FILE_COLUMNS = ("file", "filename", "path")


class LabelError(ValueError):
    """A label file can't be used. The message names it and says why."""


def folder_labels(files: Sequence[str]) -> list[str]:
    """Label each file by its folder, relative to the folder that holds all files.

    Args:
        files: paths.

    Returns:
        One label per file.

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
    """Read labels from a CSV file.

    A row belongs to the clip at the path that it names, relative to the working directory or to the folder of the CSV
    file. If there is no such clip, it belongs to the only clip whose path ends in that name.

    Args:
        path: a CSV file with a header, in UTF-8, or in UTF-16 with a byte order mark. The first of
            :data:`FILE_COLUMNS` in the header holds the files.
        files: paths.
        column: name of the column with the labels.

    Returns:
        One label per file; :data:`NONE` for a file that no row names.

    Raises:
        FileNotFoundError: if there is no such file.
        LabelError: if the file is not such a CSV file, gives a clip two labels, or names none of the files.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such label file: {path}")
    try:
        text = as_utf8(path.read_bytes(), str(path)).decode()
        separator = csv_separator(text, {*FILE_COLUMNS, column.lower()}.__contains__)
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", delimiter=separator)
        names, lines = reader.fieldnames or [], list(reader)
    except (ValueError, csv.Error) as error:
        raise LabelError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    key = next((name for name in FILE_COLUMNS if name in names), None)
    if key is None or column not in names:
        raise LabelError(f"{path}: expected the columns file and {column}, got {', '.join(names) or 'none'}")
    rows = [(line[key], line[column]) for line in lines if line[key]]
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
    """Positions of the clips that a row names. All belong to one file."""
    for path in (os.path.abspath(name), os.path.abspath(folder / name)):
        if path in by_path:
            return by_path[path]
    ends = by_end.get("/".join(PurePath(os.path.normpath(name)).parts), set())
    return ends if len({os.path.abspath(files[index]) for index in ends}) == 1 else set()
