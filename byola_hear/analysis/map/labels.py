"""Labels of the clips on a map: their folders, or those of a label file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from byola_hear.analysis.listening.naming import below_common_folder
from byola_hear.utils.text import one_spelling

if TYPE_CHECKING:
    import pandas

#: Label of a clip that has none in the label file.
NONE = "(no label)"
#: Label of a file in the top folder, next to the folders of the others.
TOP = "(top folder)"
#: Share of a clip, or of a label if it is shorter, that they must have in common.
_MIN_OVERLAP = 0.5


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
    shown, _ = below_common_folder(files)
    folders = [PurePath(shown[file]).parent.as_posix() for file in files]
    return [TOP if folder == os.curdir else folder for folder in folders]


def clip_labels(
    labels: pandas.DataFrame, path: str | os.PathLike[str], clips: Sequence[tuple[str, float, float]]
) -> list[str]:
    """Find the label of each clip in a table of labels.

    A label belongs to the clips of the recording at its path, relative to the working directory or to the folder of the
    label file. If there is no such recording, it belongs to the only one whose path ends in that name. Of several
    labels in a clip, it has the one that covers most of it.

    Args:
        labels: the columns ``file``, ``start``, ``end`` (s, NaN for the recording's end) and ``label``.
        path: the label file.
        clips: file, start and end of each clip, s.

    Returns:
        One label per clip; :data:`NONE` for a clip that has none.

    Raises:
        LabelError: if whole recordings have two labels, or none of the clips has a label.

    Example:
        >>> import pandas as pd
        >>> labels = pd.DataFrame({"file": "day.wav", "start": [0.0, 4.0], "end": [4.0, 9.0], "label": ["owl", "fox"]})
        >>> clip_labels(labels, "labels.csv", [("rec/day.wav", 2.0, 5.0), ("rec/day.wav", 9.0, 12.0)])
        ['owl', '(no label)']
    """
    of_file: dict[str, list[int]] = {}
    by_end: dict[str, set[str]] = {}
    for index, (file, _, _) in enumerate(clips):
        of_file.setdefault(one_spelling(os.path.abspath(file)), []).append(index)
    for file in of_file:
        parts = PurePath(file).parts
        for length in range(1, len(parts)):
            by_end.setdefault("/".join(parts[-length:]), set()).add(file)
    meant = {name: _meant(name, Path(path).parent, of_file, by_end) for name in labels["file"].unique()}
    times = {file: np.array([clips[index][1:] for index in indices]).T for file, indices in of_file.items()}
    best: dict[int, tuple[float, str]] = {}
    for name, start, end, label in labels[["file", "start", "end", "label"]].itertuples(index=False):
        recording = meant[name]
        if recording is None:
            continue
        end = math.inf if math.isnan(end) else end
        whole = start == 0 and end == math.inf
        # A recording of a day has many of both, and nearly all of them are far apart.
        clip_start, clip_end = times[recording]
        for place in np.flatnonzero((clip_start <= end) & (clip_end >= start)).tolist():
            index = of_file[recording][place]
            common = _common((start, end), clips[index][1:])
            before = best.get(index, (0.0, label))
            if whole and before[0] == common and before[1] != label:
                raise LabelError(f"{os.fspath(path)}: two labels for {clips[index][0]}: {before[1]!r} and {label!r}")
            if common > before[0]:
                best[index] = common, label
    if clips and not best:
        raise LabelError(f"{os.fspath(path)}: names none of the {len(clips)} clips; the first is {clips[0][0]}")
    return [best.get(index, (0.0, NONE))[1] or NONE for index in range(len(clips))]


def _common(label: tuple[float, float], clip: tuple[float, float]) -> float:
    """Seconds that a label and a clip share; 0 if it is less than half of the shorter of the two."""
    common = min(label[1], clip[1]) - max(label[0], clip[0])
    shorter = min(label[1] - label[0], clip[1] - clip[0])
    # A label without a length is in the clip that it lies in.
    return max(common, 1e-9) if common >= max(_MIN_OVERLAP * shorter - 1e-9, 0.0) else 0.0


def _meant(name: str, folder: Path, of_file: dict[str, list[int]], by_end: dict[str, set[str]]) -> str | None:
    """The recording of clips that a label names."""
    for path in map(one_spelling, (os.path.abspath(name), os.path.abspath(folder / name))):
        if path in of_file:
            return path
    ends = by_end.get("/".join(PurePath(one_spelling(os.path.normpath(name))).parts), set())
    return next(iter(ends)) if len(ends) == 1 else None
