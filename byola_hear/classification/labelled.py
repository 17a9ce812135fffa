"""Labels by recording, checked, and which of them a window has."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.reading import open_source
from byola_hear.utils.files import Stamp, stamp_of
from byola_hear.utils.text import one_spelling

if TYPE_CHECKING:
    import pandas

#: Labels, in any case, of windows in which none of the classes sounds. They are no classes themselves.
NEGATIVES = frozenset(("noise", "background", "other", "silence", "none"))
#: Classes at most: more are a column of names taken for labels.
MAX_CLASSES = 1000
#: Share of a window, or of a label if it is shorter, that they must have in common for the window to have the label.
MIN_OVERLAP = 0.5
#: Length of a label that has none, as a point in time has, s.
POINT = 1e-3
#: Segments that are compared with others at a time.
_SEGMENTS = 256


class Labels:
    """Labels by recording, checked.

    Args:
        table: a row for each label: ``file``, ``start`` and ``end`` (s, NaN for the recording's end), ``label``. Paths
            of the same recording are one recording, which goes by the first of them.
        group: name of a column of groups, which are kept together in cross-validation; a label without a value has no
            group. None for the recordings alone.

    Raises:
        ValueError: if there is no label, a label has no text or no time, there are too many classes, no class is left
            besides the negatives, the group's column is missing or empty, or a negative label contradicts another.
    """

    def __init__(self, table: pandas.DataFrame, group: str | None = None) -> None:
        if not len(table):
            raise ValueError("expected labels, got none")
        names = _one_spelling_each(_texts(table["label"]))
        files = _one_path_each([str(file) for file in table["file"]])
        if "" in names:
            raise ValueError(
                f"{names.count('')} of {len(names)} labels have no text, the first in {files[names.index('')]}"
            )
        self.classes = tuple(sorted({name for name in names if name.lower() not in NEGATIVES}))
        if not self.classes:
            raise ValueError(
                f"expected labels of at least one class, got only negatives: {', '.join(sorted(set(names)))}"
            )
        if len(self.classes) > MAX_CLASSES:
            raise ValueError(
                f"expected at most {MAX_CLASSES} classes, got {len(self.classes)}, such as "
                f"{self.classes[0]!r} and {self.classes[1]!r}; are these names of recordings, not of classes?"
            )
        place = {name: index for index, name in enumerate(self.classes)}
        self.start = table["start"].to_numpy(np.float64)
        self.end = table["end"].to_numpy(np.float64)
        self.end = np.where(np.isnan(self.end), np.inf, self.end)
        right = (self.start >= 0) & (self.start < np.inf) & (self.end >= self.start)
        if not right.all():
            wrong = int(right.argmin())
            got = f"{self.start[wrong]} to {self.end[wrong]}"
            raise ValueError(f"{files[wrong]}: expected a start and an end after it in seconds, got {got}")
        # The rest of a recording may be shorter than a window: only its end says which windows have the label.
        for row in np.flatnonzero(np.isinf(self.end) & (self.start > 0)):
            seconds, exact = duration(files[row])
            if exact and seconds > self.start[row]:
                self.end[row] = seconds
        points = self.end - self.start < POINT
        self.start = np.where(points, np.maximum(self.start - POINT / 2, 0), self.start)
        self.end = np.where(points, self.start + POINT, self.end)
        #: Number of each label's class; -1 for a negative.
        self.code = np.array([place.get(name, -1) for name in names])
        self.of_file: dict[str, NDArray[np.intp]] = {file: np.array(rows) for file, rows in rows_of(files).items()}
        if group is not None and group not in table:
            raise ValueError(f"expected a column {group!r} with groups, got {', '.join(map(str, table.columns))}")
        groups = [] if group is None else _texts(table[group])
        if group is not None and not any(groups):
            raise ValueError(
                f"no label has a value in the column {group!r}; Audacity tracks and folders have no such columns"
            )
        self.group = components(files, groups)
        self._check_contradictions(names)

    def _check_contradictions(self, names: Sequence[str]) -> None:
        for file, rows in self.of_file.items():
            negative, positive = rows[self.code[rows] < 0], rows[self.code[rows] >= 0]
            if not len(negative) or not len(positive):
                continue
            pairs: list[tuple[int, int]] = []
            for here, near in _touching(
                self.start[negative], self.end[negative], self.start[positive], self.end[positive]
            ):
                some, others = negative[here], positive[near]
                same = shared(self.start[some], self.end[some], self.start[others], self.end[others])
                pairs += [(int(some[one]), int(others[other])) for one, other in np.argwhere(same)]
            if pairs:
                one, other = pairs[0]
                raise ValueError(
                    f"{file}: the labels {names[one]!r} ({span(self.start[one], self.end[one])}) and {names[other]!r} "
                    f"({span(self.start[other], self.end[other])}) contradict each other; {names[one]!r} means that no "
                    f"class sounds ({len({second for _, second in pairs})} such labels in this recording)"
                )

    def lengths(self) -> NDArray[np.float64]:
        """Lengths of the classes' labels in s, without those whose recording's duration is not known."""
        ends = self.end.copy()
        for file, rows in self.of_file.items():
            if np.isinf(ends[rows]).any():
                seconds, _ = duration(file)
                ends[rows] = np.where(np.isinf(ends[rows]), seconds, ends[rows])
        lengths = (ends - self.start)[self.code >= 0]
        return lengths[np.isfinite(lengths)]

    def window(self) -> float:
        """The window that suits the labels: their median length, rounded to two digits, s.

        Raises:
            ValueError: if the labels have no length.
        """
        lengths = self.lengths()
        median = float(np.median(lengths)) if len(lengths) else 0.0
        if median <= 2 * POINT:
            raise ValueError("the labels have no length to take the window's length from; give a window")
        return float(f"{median:.2g}")

    def truth(
        self, file: str, start: NDArray[np.float64], end: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """The labels of windows of one recording.

        Args:
            file: the recording.
            start: ``(n,)`` s.
            end: ``(n,)`` s.

        Returns:
            Which classes are in each window ``(n, n_classes)``; which windows have a negative label ``(n,)``; and which
            have not even a part of a label ``(n,)``.
        """
        rows = self.of_file.get(file, np.zeros(0, np.intp))
        truth = np.zeros((len(start), len(self.classes)), np.bool_)
        negative, untouched = np.zeros((2, len(start)), np.bool_)
        for here, near in _touching(start, end, self.start[rows], self.end[rows]):
            labels = rows[near]
            same = shared(start[here], end[here], self.start[labels], self.end[labels])
            for place, code in enumerate(self.code[labels]):
                if code >= 0:
                    truth[here, code] |= same[:, place]
            touching = (start[here, None] < self.end[labels]) & (end[here, None] > self.start[labels])
            negative[here] = np.any(same[:, self.code[labels] < 0], axis=1)
            untouched[here] = ~np.any(touching, axis=1)
        return truth, negative, untouched


def duration(file: str) -> tuple[float, bool]:
    """What a recording's header says of its duration, s, and whether that is exact; NaN if it says nothing."""
    return _duration(file, stamp_of(file))


@lru_cache(maxsize=100_000)
def _duration(file: str, stamp: Stamp) -> tuple[float, bool]:
    try:
        with closing(open_source(file)) as source:
            seconds = source.header_seconds
            exact = source.frames is not None and source.container != "MP3"
    except (ValueError, OSError):
        return math.nan, False
    return (math.nan, False) if seconds is None else (float(seconds), exact)


def shared(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    others_start: NDArray[np.float64],
    others_end: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which segments have at least :data:`MIN_OVERLAP` of the shorter one in common.

    Args:
        start: ``(n,)``.
        end: ``(n,)``.
        others_start: ``(m,)``.
        others_end: ``(m,)``; may be infinite.

    Returns:
        ``(n, m)``.

    Example:
        >>> shared(*map(np.array, ([0.0, 2.0], [1.0, 3.0], [0.6], [5.0])))
        array([[False],
               [ True]])
    """
    common = np.minimum(end[:, None], others_end) - np.maximum(start[:, None], others_start)
    shorter = np.minimum((end - start)[:, None], others_end - others_start)
    return common >= MIN_OVERLAP * shorter - 1e-9


def _touching(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    others_start: NDArray[np.float64],
    others_end: NDArray[np.float64],
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Segments ``(n,)``, some at a time, and the places of the others ``(m,)`` that can touch them.

    A recording of a day has many of both, and nearly all pairs of them are far apart.
    """
    for first in range(0, len(start), _SEGMENTS):
        here = slice(first, first + _SEGMENTS)
        yield here, np.flatnonzero((others_start < end[here].max()) & (others_end > start[here].min()))


def span(start: float, end: float) -> str:
    """A segment for messages.

    Example:
        >>> span(1.25, float("inf"))
        '1.25 s to the end'
    """
    return f"{start:.6g} s to the end" if math.isinf(end) else f"{start:.6g}–{end:.6g} s"


def rows_of(files: Iterable[str]) -> dict[str, list[int]]:
    """The rows of each file."""
    places: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        places.setdefault(file, []).append(row)
    return places


def _texts(values: Iterable[object]) -> list[str]:
    """Values as text without space around it; blank where one is missing."""
    import pandas as pd

    return ["" if pd.isna(value) is True else str(value).strip() for value in values]


def _one_spelling_each(names: Sequence[str]) -> list[str]:
    """The same names, each as it is first spelt: accents may be letters or follow them, as in folders of macOS."""
    first: dict[str, str] = {}
    return [first.setdefault(normalize("NFC", name), name) for name in names]


def _one_path_each(files: Sequence[str]) -> list[str]:
    """The same recordings, each by the first of its paths: a relative and an absolute one may name the same."""
    first: dict[str, str] = {}
    same = {file: first.setdefault(one_spelling(os.path.realpath(file)), file) for file in dict.fromkeys(files)}
    return [same[file] for file in files]


def components(files: Sequence[str], groups: Sequence[str]) -> dict[str, int]:
    """Number the recordings so that those that share a group, directly or through others, have the same number.

    Args:
        files: the recording of each label.
        groups: the group of each label; a blank one is none. Empty if there are no groups.

    Returns:
        Recording → number, from 0.
    """
    if not groups:
        return {file: number for number, file in enumerate(dict.fromkeys(files))}
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for file, group in zip(files, groups, strict=True):
        parent[root(("file", file))] = root(("group", group) if group.strip() else ("file", file))
    numbers: dict[tuple[str, str], int] = {}
    return {file: numbers.setdefault(root(("file", file)), len(numbers)) for file in dict.fromkeys(files)}
