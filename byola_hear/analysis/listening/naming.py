"""Names of recordings for display, and names of pages."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def below_common_folder(files: Iterable[str]) -> tuple[dict[str, str], str]:
    """Shorten paths for display.

    Args:
        files: paths.

    Returns:
        The path of each file relative to the folder that holds all of them, and this folder; as they are and ``""`` if
        there is no such folder.
    """
    absolute = {file: os.path.abspath(file) for file in files}
    try:
        top = os.path.commonpath({os.path.dirname(path) for path in absolute.values()})
    except ValueError:  # on several drives, or no file
        return {file: file for file in absolute}, ""
    return {file: Path(os.path.relpath(path, top)).as_posix() for file, path in absolute.items()}, top


def identity(windows: Sequence[Sequence[object]]) -> str:
    """A name for what a page shows, under which a browser keeps the answers: the same windows have the same name."""
    return hashlib.sha256(json.dumps(list(windows)).encode()).hexdigest()[:16]
