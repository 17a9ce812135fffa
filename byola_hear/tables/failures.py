"""The table of errors next to a table: which clips failed, and why."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from byola_hear.extraction.clips import Clip
from byola_hear.tables.errors import TableRefused
from byola_hear.utils.files import remove_leftovers, write_file

_HEADER = b"file,start,end,error\n"


def failures_path(output: Path) -> Path:
    """The path of the table of errors that belongs to a table. It has the whole name: no two tables share it.

    Example:
        >>> failures_path(Path("birds.parquet"))
        PosixPath('birds.parquet.errors.csv')
    """
    return output.with_name(f"{output.name}.errors.csv")


def check_failures_path(path: Path) -> None:
    """Refuse the path of a table of errors at which there is anything but an earlier one.

    Args:
        path: where it would be written.

    Raises:
        TableRefused: if something else is there.
        OSError: if that can't be found out, or the name is too long.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not _is_own(path):
        raise TableRefused(f"{path} exists and is no table of errors, which would be written there; move it")


def _is_own(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.readline(len(_HEADER)) == _HEADER


def read_failures(path: Path) -> list[tuple[Clip, str]]:
    """Read a table of errors.

    Args:
        path: where it is, if there is one.

    Returns:
        Clips and reasons; empty if there is none.

    Raises:
        TableRefused: if it has been changed and can't be understood.
        OSError: if it can't be read.
    """
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as stream:
        lines = csv.reader(stream)
        next(lines)
        try:
            return [
                (Clip(file, float(start), float(end) if end else None), reason) for file, start, end, reason in lines
            ]
        except (ValueError, csv.Error):
            found = f"{path}, line {lines.line_num}"
            raise TableRefused(f"{found}: expected file, start, end and error; mend or remove the file") from None


def write_failures(path: Path, failed: Sequence[tuple[Clip, str]]) -> Path | None:
    """Write the table of errors. If nothing failed, remove that of an earlier run.

    Args:
        path: where to write it. No other process may be writing it.
        failed: clips and reasons.

    Returns:
        The path; None if nothing failed.

    Raises:
        OSError: if it can't be written; it names the path.
    """
    remove_leftovers([path])  # of a run that was killed here
    if not failed:
        if _is_own(path):
            path.unlink()
        return None
    text = io.StringIO(newline="")
    lines = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    lines.writerows([clip.file, clip.start, clip.end, reason] for clip, reason in failed)
    write_file(path, _HEADER + text.getvalue().encode("utf-8", "surrogateescape"))
    return path
