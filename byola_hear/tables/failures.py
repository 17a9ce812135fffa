"""The table of errors next to a table: which clips failed, and why."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from byola_hear.extraction.clips import Clip

_HEADER = b"file,start,end,error\n"


def failures_path(output: Path) -> Path:
    """The path of the table of errors that belongs to a table.

    Example:
        >>> failures_path(Path("birds.parquet"))
        PosixPath('birds.errors.csv')
    """
    return output.with_name(f"{output.stem or output.name}.errors.csv")


def write_failures(path: Path, failed: Sequence[tuple[Clip, str]], temporary: Path) -> Path | None:
    """Write the table of errors. If nothing failed, remove that of an earlier run.

    Args:
        path: where to write it.
        failed: clips and reasons.
        temporary: an unused name on the same disk, under which it is written first.

    Returns:
        The path; None if nothing failed.
    """
    if not failed:
        if path.is_file() and path.open("rb").readline() == _HEADER:
            path.unlink()
        return None
    with open(temporary, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(_HEADER.decode())
        lines = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        lines.writerows([clip.file, clip.start, clip.end, reason] for clip, reason in failed)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    return path
