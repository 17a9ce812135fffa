"""CSV files: their separator, and rows that are written to them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from byola_hear.utils.files import write_file


def csv_separator(text: str, is_wanted: Callable[[str], bool]) -> str:
    """Find out whether commas, semicolons or tabs separate the cells of a CSV file.

    A column's name may contain a comma in a file with semicolons, and the other way round. The separator is the one
    that gives most of the names that are wanted.

    Args:
        text: the file's text, which begins with the columns' names.
        is_wanted: whether a column of this name, in lower case, is wanted.

    Returns:
        A comma, semicolon or tab; a comma if none of the names is found.

    Example:
        >>> csv_separator("file;start;end;label, remark", {"file", "start", "end"}.__contains__)
        ';'
    """

    def n_found(separator: str) -> int:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            return 0
        return sum(is_wanted(name.strip().lower()) for name in names)

    return max(",;\t", key=n_found)


def write_rows(stream: IO[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows of a CSV table, whose lines end in a line feed on every system.

    Args:
        stream: a text stream, opened with ``newline=""``.
        rows: cells of each row.

    Example:
        >>> import sys
        >>> write_rows(sys.stdout, [("a", 1), ("b,c", 2)])
        a,1
        "b,c",2
    """
    usual = csv.writer(stream, lineterminator="\n")
    # Python may leave a carriage return in a cell without quotes, and then can't read the row. Label files are read
    # without spaces before a cell.
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in str(cell) or str(cell)[:1] == " " for cell in row) else usual).writerow(row)


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file in UTF-8, completely or not at all: see :func:`write_rows`.

    Args:
        path: the file; an existing one is replaced.
        rows: cells of each row, the header first.
    """
    text = io.StringIO(newline="")
    write_rows(text, rows)
    write_file(path, text.getvalue())
