"""Notice that audio has changed since its log-mel was computed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.pretraining.data.manifest import ManifestClip
from byola_hear.utils.files import stamp_of, write_file

#: Size and time of modification of each row's file when building began; -1 for a file that was not there.
STAMPS_FILE = "stamps.i64"
#: Rows that are computed again, at most, to see whether a file of another time has other audio.
MOST_COMPUTED = 16
#: Mean difference of log-mel values that another computer or decoder may cause.
TOLERANCE = 0.1


def stamps_of(clips: Sequence[ManifestClip], folder: Path) -> NDArray[np.int64]:
    """The size in bytes and the time of modification in ns of each row's file, ``(n_rows, 2)``; -1 if it is missing.

    Args:
        clips: rows of a manifest.
        folder: folder of the manifest.
    """
    known: dict[str, tuple[int, int]] = {}
    for clip in clips:
        if clip.path not in known:
            known[clip.path] = stamp_of(os.path.join(folder, clip.path)) or (-1, -1)
    return np.array([known[clip.path] for clip in clips], dtype=np.int64)


def keep_stamps(clips: Sequence[ManifestClip], folder: Path, output: Path) -> None:
    """Write the stamps of a manifest's files into the folder of its cache."""
    write_file(output / STAMPS_FILE, stamps_of(clips, folder).tobytes())


def changed_row(
    clips: Sequence[ManifestClip],
    folder: Path,
    output: Path,
    lengths: NDArray[np.int64],
    stored: Callable[[int], NDArray[np.float16]],
    compute: Callable[[int], NDArray[np.float16]],
) -> int | None:
    """Find a row whose audio has changed.

    A copy of a folder has other times than the folder itself, so files with another stamp are not yet changed. Rows of
    them, spread over the manifest, are computed again and compared. Files that are missing now have not changed.

    Args:
        clips: rows of the manifest.
        folder: folder of the manifest.
        output: folder of the cache. If it is older than :data:`STAMPS_FILE`, nothing has changed.
        lengths: ``(n_rows,)`` frames of each row; 0 for a row that could not be read.
        stored: the ``(n_frames, n_mels)`` that the cache holds of a row.
        compute: computes them; it raises ``ValueError`` if the row can't be read.

    Returns:
        The number of the row; None if none of those that were compared has changed.

    Raises:
        ValueError: if a row that is compared can no longer be read.
    """
    if not (output / STAMPS_FILE).exists():
        return None
    then, now = np.fromfile(output / STAMPS_FILE, np.int64).reshape(-1, 2), stamps_of(clips, folder)
    rows = np.flatnonzero((lengths > 0) & (now[:, 0] >= 0) & (now != then).any(axis=1))
    for place in np.linspace(0, len(rows) - 1, min(len(rows), MOST_COMPUTED)).round().astype(int):
        row = int(rows[place])
        before, after = stored(row), compute(row)
        if before.shape != after.shape or np.abs(before.astype(np.float32) - after).mean() > TOLERANCE:
            return row
    return None
