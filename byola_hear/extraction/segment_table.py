"""Stretches of files from a CSV table of file, start and end."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

from byola_hear.extraction.folders import plain
from byola_hear.utils.files import readable

#: The columns that a table of segments has, among others that are not looked at.
SEGMENT_COLUMNS = ("file", "start", "end")
#: A file, and from where to where, s; None for its end.
Segment = tuple[str, float, float | None]
#: Hours and minutes before the seconds: 1:02:03.5 or 2:03.5; minutes alone may be more than an hour.
_CLOCK = re.compile(r"(?:(\d+):(?=[0-5]?\d:))?(\d{1,2}):([0-5]?\d(?:\.\d*)?)")


def read_segments(path: str | os.PathLike[str]) -> list[Segment]:
    """The stretches of files in a table of segments.

    The table is CSV, with commas, semicolons or tabs between cells, and begins with the columns' names, among them
    ``file``, ``start`` and ``end``. Times are seconds, or ``H:MM:SS.s``; an empty start is the file's beginning, an
    empty end its end. A relative file is relative to the working directory if it is there, else to the table's folder.

    Args:
        path: the table.

    Returns:
        File, start and end in s, None for the file's end: one a row, in order.

    Raises:
        FileNotFoundError: if there is no such table.
        OSError: if it can't be read.
        ValueError: if it is none; the message names the line, what was expected and what was found.
    """
    place: dict[str, str] = {}
    segments = []
    with (
        readable(path, "table of segments"),
        open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as table,
    ):
        first = table.readline()
        table.seek(0)
        delimiter = next((mark for mark in ",;\t" if mark in first), ",")
        reader = csv.reader(table, delimiter=delimiter)
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            if missing := [name for name in SEGMENT_COLUMNS if name not in names]:
                raise ValueError(
                    f"{path}, line 1: expected the columns' names, among them file, start and end; "
                    f"no {', '.join(missing)} in {first.strip()[:200]!r}"
                )
            columns = [names.index(name) for name in SEGMENT_COLUMNS]
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                where = f"{path}, line {reader.line_num}"
                if len(row) <= max(columns):
                    raise ValueError(f"{where}: expected {len(names)} cells, got {len(row)}")
                file, start, end = (row[column] for column in columns)
                if not file.strip():
                    raise ValueError(f"{where}: expected a file's path, got an empty cell")
                if file not in place:
                    place[file] = _located(file, Path(path).parent)
                segments.append(_segment(where, place[file], start, end))
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num}: not CSV ({error})") from error
    return segments


def seconds_of(text: str) -> float:
    """A time as seconds.

    Args:
        text: seconds, ``M:SS`` or ``H:MM:SS``, with or without decimals.

    Returns:
        Seconds.

    Raises:
        ValueError: if it is something else.

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


def _located(file: str, folder: Path) -> str:
    """A segment's file: where it is from the working directory, else from the table's folder."""
    beside = folder / file
    return plain(file) if os.path.isabs(file) or os.path.lexists(file) or not beside.exists() else str(beside)


def _segment(where: str, file: str, start: str, end: str) -> Segment:
    try:
        begin = seconds_of(start) if start.strip() else 0.0
        stop = seconds_of(end) if end.strip() else None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if stop is not None and stop <= begin:
        raise ValueError(f"{where}: expected an end after the start, got {start.strip()} to {end.strip()}")
    return file, begin, stop
