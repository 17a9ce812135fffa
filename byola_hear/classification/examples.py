"""Labelled windows of sound to learn from: of audio, or of a table of embeddings that exists."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.reading import open_source
from byola_hear.classification.classifier import check_embeddings
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Event, Failed, Rows
from byola_hear.models.model import ByolaModel

if TYPE_CHECKING:
    import pandas

#: Labels, in any case, of windows in which none of the classes sounds. They are no classes themselves.
NEGATIVES = frozenset(("noise", "background", "other", "silence", "none"))
#: Classes at most: more are a column of names taken for labels.
MAX_CLASSES = 1000
#: Share of a window, or of a label if it is shorter, that they must have in common for the window to have the label.
MIN_OVERLAP = 0.5
#: Windows without a label from one recording at most, if these count as negatives.
MAX_UNLABELLED = 200
#: A part of a window at the end of a longer segment counts if it is at least this share of a window.
_MIN_REST = 0.75
#: Length of a label that has none, as a point in time has, s.
_POINT = 1e-3
#: Headers that estimate a duration are wrong by less than this, s.
_ESTIMATE_ERROR = 1.0


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows of sound and the classes in them.

    Attributes:
        embeddings: ``(n, size)`` float32, finite.
        file: ``(n,)`` of str: the recordings.
        start: ``(n,)`` float64, s.
        end: ``(n,)`` float64, s.
        truth: ``(n, n_classes)``; a row without a class is a negative.
        classes: names of the classes, sorted.
        group: ``(n,)`` numbers: recordings, or groups of recordings, that are not split between folds.
        window: length of a window, s.
        failures: recordings that could not be embedded, and the reasons.
    """

    embeddings: NDArray[np.float32]
    file: NDArray[Any]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    truth: NDArray[np.bool_]
    classes: tuple[str, ...]
    group: NDArray[np.intp]
    window: float
    failures: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.embeddings)


class Labels:
    """Labels by recording, checked.

    Args:
        table: a row for each label: ``file``, ``start`` and ``end`` (s, NaN for the recording's end), ``label``.
        group: name of a column whose values are kept together in cross-validation; None for the recordings alone.

    Raises:
        ValueError: if there is no label, a label has no text, there are too many classes, no class is left besides the
            negatives, the group's column is missing, or a negative label contradicts another.
    """

    def __init__(self, table: pandas.DataFrame, group: str | None = None) -> None:
        if not len(table):
            raise ValueError("expected labels, got none")
        names = [str(name).strip() for name in table["label"]]
        files = [str(file) for file in table["file"]]
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
        points = self.end - self.start < _POINT
        self.start = np.where(points, np.maximum(self.start - _POINT / 2, 0), self.start)
        self.end = np.where(points, self.start + _POINT, self.end)
        #: Number of each label's class; -1 for a negative.
        self.code = np.array([place.get(name, -1) for name in names])
        self.of_file: dict[str, NDArray[np.intp]] = {file: np.array(rows) for file, rows in _places(files).items()}
        if group is not None and group not in table:
            raise ValueError(f"expected a column {group!r} with groups, got {', '.join(map(str, table.columns))}")
        self.group = _components(files, [] if group is None else [str(value) for value in table[group]])
        self._check_contradictions(names)

    def _check_contradictions(self, names: Sequence[str]) -> None:
        for file, rows in self.of_file.items():
            negative, positive = rows[self.code[rows] < 0], rows[self.code[rows] >= 0]
            if not len(negative) or not len(positive):
                continue
            same = shared(self.start[negative], self.end[negative], self.start[positive], self.end[positive])
            if same.any():
                first, second = (int(place[0]) for place in np.nonzero(same))
                one, other = negative[first], positive[second]
                raise ValueError(
                    f"{file}: the labels {names[one]!r} ({span(self.start[one], self.end[one])}) and {names[other]!r} "
                    f"({span(self.start[other], self.end[other])}) contradict each other; {names[one]!r} means that no "
                    f"class sounds ({int(same.any(0).sum())} such labels in this recording)"
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
        if median <= 2 * _POINT:
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
        same = shared(start, end, self.start[rows], self.end[rows])
        for place, code in enumerate(self.code[rows]):
            if code >= 0:
                truth[:, code] |= same[:, place]
        touching = (start[:, None] < self.end[rows]) & (end[:, None] > self.start[rows])
        return truth, np.any(same[:, self.code[rows] < 0], axis=1), ~np.any(touching, axis=1)


def from_audio(
    labels: Labels,
    model: ByolaModel,
    window: float,
    *,
    unlabelled: bool = False,
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Examples:
    """Embed the labelled windows of recordings.

    A label that is shorter than the window is embedded in its middle. A longer one gives windows at half their length.
    Windows are embedded with the sound around them, as in a whole recording.

    Args:
        labels: the labels.
        model: the network.
        window: length of a window, s.
        unlabelled: whether windows of these recordings that no label touches are negatives. Then whole recordings are
            embedded, and at most ``MAX_UNLABELLED`` such windows of each are kept.
        workers: number of threads that decode.
        on_event: called with each event of the extraction.

    Returns:
        The examples; recordings that could not be embedded are in ``failures``.

    Raises:
        ValueError: if the window is not a length, or no window could be embedded.
    """
    request = request_for(model, "scene", window, window / 2)
    wanted = {clip: within for file in labels.of_file for clip, within in _clips(labels, file, window)}
    whole = dict.fromkeys(Clip(file) for file in labels.of_file) if unlabelled else {}
    clips = [*wanted, *(clip for clip in whole if clip not in wanted)]
    builder = _Builder(labels, window)
    failures: dict[str, str] = {}
    for event in extract(clips, model, request, workers):
        if on_event is not None:
            on_event(event)
        if isinstance(event, Failed):
            failures[event.clip.file] = event.reason
        elif isinstance(event, Rows):
            builder.add(event, wanted.get(event.clip), unlabelled=event.clip in whole)
    return builder.finish(failures)


def from_table(labels: Labels, table: pandas.DataFrame, *, unlabelled: bool = False) -> Examples:
    """Take the labelled windows out of a table of embeddings.

    Args:
        labels: the labels.
        table: as :func:`byola_hear.read_table` returns it.
        unlabelled: whether windows of labelled recordings that no label touches are negatives.

    Returns:
        The examples; recordings that the table lacks are in ``failures``. If it has none of the paths, recordings are
        known by their names.

    Raises:
        ValueError: if an embedding is not finite, or the table has none of the recordings or no window with a label.
    """
    check_embeddings(table.to_numpy(np.float32))
    start, end = (table.index.get_level_values(name).to_numpy(np.float64) for name in ("start", "end"))
    builder = _Builder(labels, float(np.median(end - start)))
    places = _places(map(str, table.index.get_level_values("file")))
    found = _matched(list(labels.of_file), list(places))
    if not found:
        one, other = next(iter(labels.of_file)), next(iter(places), "nothing")
        raise ValueError(f"the table has none of the labelled recordings, such as {one}; it has {other}")
    for file, same in found.items():
        rows = places[same]
        embeddings = table.iloc[rows].to_numpy(np.float32)
        everything = (0.0, math.inf)
        builder.add(Rows(Clip(file), start[rows], end[rows], None, embeddings), everything, unlabelled, every=True)
    return builder.finish({file: "not in the table" for file in labels.of_file if file not in found})


def _matched(wanted: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """The recordings of a table that labels are about: of the same path, or the only ones of the same name."""
    paths = {os.path.abspath(file): file for file in given}
    found = {file: paths[os.path.abspath(file)] for file in wanted if os.path.abspath(file) in paths}
    if found:
        return found
    named, asked = (Counter(map(os.path.basename, files)) for files in (given, wanted))
    names = {os.path.basename(file): file for file in given}
    return {file: names[name] for file in wanted if named[name := os.path.basename(file)] == asked[name] == 1}


class _Builder:
    """Collects the rows that have labels."""

    def __init__(self, labels: Labels, window: float) -> None:
        self.labels, self.window = labels, window
        self.parts: list[tuple[str, Rows, NDArray[np.bool_], NDArray[np.bool_]]] = []
        #: Unlabelled rows by recording, each in steps of so many.
        self.unlabelled: dict[str, list[tuple[float, float, NDArray[np.float32]]]] = {}
        self.step: dict[str, int] = {}
        self.seen: dict[str, int] = {}

    def add(self, rows: Rows, within: tuple[float, float] | None, unlabelled: bool, every: bool = False) -> None:
        """Take rows of a recording.

        Args:
            rows: the rows.
            within: the segment whose labelled rows count; None for none of them.
            unlabelled: whether rows count that no label touches.
            every: whether rows that are only the rest of a window count.
        """
        file = rows.clip.file
        truth, negative, untouched = self.labels.truth(file, rows.start, rows.end)
        begin, end = within or (math.inf, -math.inf)
        full = (rows.end - rows.start >= _MIN_REST * self.window) | (rows.start <= rows.clip.start) | every
        # A window may reach beyond a longer label by as much as may be missing at the end of a recording.
        inside = (rows.start >= begin - _POINT) & (rows.end <= end + (1 - _MIN_REST) * self.window + _POINT)
        kept = (truth.any(1) | negative) & full & inside
        if kept.any():
            chosen = Rows(rows.clip, rows.start[kept], rows.end[kept], None, rows.embeddings[kept])
            self.parts.append((file, chosen, truth[kept], negative[kept]))
        if unlabelled:
            for row in np.flatnonzero(untouched & full):
                self._add_unlabelled(file, float(rows.start[row]), float(rows.end[row]), rows.embeddings[row])

    def _add_unlabelled(self, file: str, start: float, end: float, embedding: NDArray[np.float32]) -> None:
        """Keep every window, then every second, then every fourth …, so that they are spread over the recording."""
        kept, step = self.unlabelled.setdefault(file, []), self.step.setdefault(file, 1)
        number = self.seen[file] = self.seen.get(file, -1) + 1
        if number % step:
            return
        kept.append((start, end, embedding.copy()))
        if len(kept) > MAX_UNLABELLED:
            del kept[1::2]
            self.step[file] = 2 * step

    def finish(self, failures: dict[str, str]) -> Examples:
        for file, kept in self.unlabelled.items():
            if kept:
                start, end = (np.array([each[place] for each in kept]) for place in (0, 1))
                rows = Rows(Clip(file), start, end, None, np.stack([each[2] for each in kept]))
                nothing = np.zeros((len(kept), len(self.labels.classes)), np.bool_)
                self.parts.append((file, rows, nothing, nothing[:, 0]))
        if not self.parts:
            reason = next((f"; the first: {file}: {reason}" for file, reason in failures.items()), "")
            raise ValueError(f"no window with a label could be embedded{reason}")
        files = np.array([file for file, rows, *_ in self.parts for _ in range(len(rows))], dtype=object)
        embeddings = np.concatenate([rows.embeddings for _, rows, *_ in self.parts])
        check_embeddings(embeddings)
        return Examples(
            embeddings,
            files,
            np.concatenate([rows.start for _, rows, *_ in self.parts]),
            np.concatenate([rows.end for _, rows, *_ in self.parts]),
            np.concatenate([truth for _, _, truth, _ in self.parts]),
            self.labels.classes,
            np.array([self.labels.group[file] for file in files]),
            self.window,
            failures,
        )


def _clips(labels: Labels, file: str, window: float) -> Iterator[tuple[Clip, tuple[float, float]]]:
    """The segments of a recording that are to be embedded for its labels, and which part of each the windows are in."""
    seconds, exact = math.nan, False
    if np.isfinite(labels.end[labels.of_file[file]]).any():
        seconds, exact = duration(file)
    for row in labels.of_file[file]:
        begin, end = float(labels.start[row]), float(labels.end[row])
        limit = max(end, seconds if exact else seconds - _ESTIMATE_ERROR)  # the label's end if nothing is known
        if end - begin < window:
            # The window around the label, moved to lie in the recording.
            begin = max(min((begin + end) / 2 - window / 2, limit - window), 0.0)
            end = min(begin + window, limit)
        # As much sound around it as a hop, so that the windows lie on the segment's grid.
        first = begin - window / 2 if begin >= window / 2 else begin
        last = None if math.isinf(end) else round(min(end + window / 2, limit), 4)
        yield Clip(file, round(first, 4), last), (begin, end)


@lru_cache(maxsize=100_000)
def duration(file: str) -> tuple[float, bool]:
    """What a recording's header says of its duration, s, and whether that is exact; NaN if it says nothing."""
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


def span(start: float, end: float) -> str:
    """A segment for messages.

    Example:
        >>> span(1.25, float("inf"))
        '1.25 s to the end'
    """
    return f"{start:.6g} s to the end" if math.isinf(end) else f"{start:.6g}–{end:.6g} s"


def _places(files: Iterable[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        places.setdefault(file, []).append(row)
    return places


def _components(files: Sequence[str], groups: Sequence[str]) -> dict[str, int]:
    """A number for each recording; recordings that share a group, directly or through others, have the same."""
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
