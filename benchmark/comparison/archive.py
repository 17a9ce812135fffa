"""The outcomes of a run in one file, so that others can add to it without measuring everything again."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection
from pathlib import Path

from benchmark.comparison.outcome import Outcome, load_outcome
from byola_hear.utils.files import write_file

#: The largest outcome that is unpacked, bytes.
LARGEST = 1 << 24


def pack(outcomes: Path, archive: Path, tasks: Collection[str]) -> int:
    """Write a run's outcomes to a zip; the same outcomes give the same bytes.

    Args:
        outcomes: the folder ``outcomes`` of a run, with ``MODEL/TASK.npz``.
        archive: the zip.
        tasks: names of the tasks whose outcomes are packed.

    Returns:
        Number of outcomes.
    """
    paths = [path for path in sorted(outcomes.glob("*/*.npz")) if path.stem in tasks]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
        for path in paths:  # compressed already
            file.writestr(zipfile.ZipInfo(f"{path.parent.name}/{path.name}"), path.read_bytes())
    write_file(archive, content.getvalue())
    return len(paths)


def unpack(archive: Path, outcomes: Path) -> list[Outcome]:
    """Write the outcomes of a zip to a run's folder, except those that are there already.

    Args:
        archive: a zip that :func:`pack` wrote.
        outcomes: the folder ``outcomes`` of a run.

    Returns:
        All outcomes of the zip.

    Raises:
        ValueError: if it is another kind of file.
    """
    found = []
    try:
        with zipfile.ZipFile(archive) as file:
            for member in file.infolist():
                if not re.fullmatch(r"[^/\\]+/[^/\\]+\.npz", member.filename) or ".." in member.filename:
                    raise ValueError(f"unexpected member {member.filename!r}")
                if member.file_size > LARGEST:
                    raise ValueError(f"{member.filename} has {member.file_size} bytes")
                path = outcomes / member.filename
                if not path.is_file():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_file(path, file.read(member))
                found.append(load_outcome(path))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ValueError(f"{archive}: expected outcomes that the benchmark packed: {error}") from error
    return found
