"""Segments of files from a CSV table with the columns file, start and end."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from byola_hear.extraction.folders import plain
from byola_hear.utils.files import readable
from byola_hear.utils.text import as_utf8, csv_separator

#: The columns that a table of segments needs; others are ignored.
SEGMENT_COLUMNS = ("file", "start", "end")
#: A file, and where the segment begins and ends, s; None for the file's end.
Segment = tuple[str, float, float | None]
#: Hours and minutes before the seconds: 1:02:03.5 or 2:03.5. Minutes without hours may exceed 59.
_CLOCK = re.compile(r"(?:(\d+):(?=[0-5]?\d:))?(\d{1,2}):([0-5]?\d(?:\.\d*)?)")
#: A number whose comma may separate thousands.
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def read_segments(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> list[Segment]:
    """Read a table of segments.

    The table is CSV in UTF-8, or in UTF-16 with a byte order mark. Commas, semicolons or tabs separate the cells. The
    first line has the columns' names, among them ``file``, ``start`` and ``end``. Times are seconds or ``H:MM:SS.s``;
    between semicolons or tabs, they may have decimal commas. An empty start is the file's beginning, an empty end the
    file's end. A relative path is relative to the working directory if the file exists there, else to the table's
    folder.

    Args:
        path: the table.

    Returns:
        File, start and end in s, None for the file's end: one for each row, in order.

    Raises:
        FileNotFoundError: if the table does not exist.
        OSError: if the table can't be read.
        ValueError: if it is not such a table; the message names the line, what was expected and what was found.
    """
    table = os.fsdecode(path)
    with readable(table, "table of segments"):
        text = as_utf8(Path(table).read_bytes(), table).decode("utf-8", "surrogateescape")
    place: dict[str, str] = {}
    segments: list[Segment] = []
    decimal_mark = ""
    for where, separator, file, start, end in _cells(table, text):
        if not file.strip():
            raise ValueError(f"{where}: expected a file's path, got an empty cell")
        if file not in place:
            place[file] = _located(file, Path(table).parent)
        for time in (start, end):
            for found in ",.":
                if found in time and decimal_mark not in ("", found):
                    raise ValueError(f"{where}: expected one decimal mark in all times, got {time.strip()!r}")
                decimal_mark = found if found in time else decimal_mark
        begin, stop = (_seconds(where, separator, time) for time in (start, end))
        if stop is not None and stop <= (begin or 0.0):
            raise ValueError(f"{where}: expected an end after the start, got {start.strip()} to {end.strip()}")
        segments.append((place[file], begin or 0.0, stop))
    return segments


def seconds_of(text: str) -> float:
    """Parse a time.

    Args:
        text: seconds, ``M:SS`` or ``H:MM:SS``, with or without decimals.

    Returns:
        Seconds.

    Raises:
        ValueError: if the text is something else.

    Example:
        >>> seconds_of("83.5"), seconds_of("1:23.5"), seconds_of("1:02:03")
        (83.5, 83.5, 3723.0)
    """
    clock = _CLOCK.fullmatch(text.strip())
    try:
        if clock:
            hours, minutes, seconds = clock.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"expected a time as seconds or H:MM:SS, got {text.strip()!r}")
    return value


def _cells(path: str, text: str) -> Iterator[tuple[str, str, str, str, str]]:
    """For each row: where it is, the separator of its cells, and its file, start and end."""
    separator = csv_separator(text, SEGMENT_COLUMNS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in SEGMENT_COLUMNS if name not in names]:
            first = text.partition("\n")[0].strip()
            raise ValueError(
                f"{path}, line 1: expected the columns' names, among them file, start and end; "
                f"no {', '.join(missing)} in {first[:200]!r}"
            )
        columns = [names.index(name) for name in SEGMENT_COLUMNS]
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            where = f"{path}, line {reader.line_num}"
            if len(row) <= max(columns):
                raise ValueError(f"{where}: expected {len(names)} cells, got {len(row)}")
            file, start, end = (row[column] for column in columns)
            yield where, separator, file, start, end
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not CSV ({error})") from error


def _located(file: str, folder: Path) -> str:
    """A segment's file: relative to the working directory if it exists there, else to the table's folder."""
    beside = folder / file
    return plain(file) if os.path.isabs(file) or os.path.lexists(file) or not beside.exists() else str(beside)


def _seconds(where: str, separator: str, time: str) -> float | None:
    """A cell with a time in seconds; None if it is empty."""
    if not time.strip():
        return None
    # Semicolons are the separator where a comma is the decimal mark. With tabs, it may also separate thousands.
    if separator == "\t" and _THOUSANDS.fullmatch(time.strip()):
        raise ValueError(f"{where}: expected a time without thousands, or decimals after a point, got {time.strip()!r}")
    try:
        return seconds_of(time if separator == "," else time.replace(",", ".", 1))
    except ValueError:
        raise ValueError(f"{where}: expected a time as seconds or H:MM:SS, got {time.strip()!r}") from None
