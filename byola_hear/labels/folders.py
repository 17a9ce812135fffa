"""Folders as labels: each recording has the name of the folder that it is in."""

from __future__ import annotations

import math
import os
from pathlib import PurePath

from byola_hear.audio.folders import files_of, plain
from byola_hear.audio.reading import audio_suffixes
from byola_hear.labels.annotation import Annotation


def unreadable(path: str, reason: str) -> None:
    """Refuse a path that gives no files.

    Args:
        path: the path.
        reason: why.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{reason}: {path}")


def annotations_of(folder: str) -> list[Annotation]:
    """Label the recordings in a folder by its folders.

    Args:
        folder: a folder with a folder of recordings for each label; or one with recordings alone, whose name is their
            label. Recordings further down have the label of the topmost folder.

    Returns:
        A label for each recording from its beginning to its end, sorted by path.

    Raises:
        ValueError: if there are no recordings; or some in folders, and others not; or a folder can't be read.
    """
    found = []
    stray = None
    top = plain(folder)
    for file in files_of(folder, audio_suffixes(), unreadable):
        below = PurePath(file).relative_to(top).parts
        if len(below) == 1:
            stray = file
        label = below[0] if len(below) > 1 else PurePath(os.path.abspath(top)).name
        found.append((len(below) > 1, Annotation(folder, file, 0.0, math.nan, label)))
    if stray is not None and any(nested for nested, _ in found):
        raise ValueError(f"{folder}: expected every recording in the folder of its label, got {stray} next to folders")
    return [annotation for _, annotation in found]
