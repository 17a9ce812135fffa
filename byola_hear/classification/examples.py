"""Labelled windows of sound to learn from: of audio, or of a table of embeddings that exists."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.classifier import check_embeddings
from byola_hear.classification.kept import kept_events
from byola_hear.classification.labelled import POINT, Labels, duration, rows_of
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Event, Failed, Rows
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import PathLike
from byola_hear.utils.text import one_spelling

if TYPE_CHECKING:
    import pandas

#: Windows without a label from one recording at most, if these count as negatives.
MAX_UNLABELLED = 200
#: A part of a window at the end of a longer segment counts if it is at least this share of a window.
_MIN_REST = 0.75
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


def from_audio(
    labels: Labels,
    model: ByolaModel,
    window: float,
    *,
    unlabelled: bool = False,
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
    embeddings: PathLike | None = None,
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
        embeddings: a table in which the embeddings are kept; what it has is not embedded again. None for no table.

    Returns:
        The examples; recordings that could not be embedded are in ``failures``.

    Raises:
        ValueError: if the window is not a length, or no window could be embedded.
        TableError: if the table can't be written, is damaged, or is of another network or another window.
    """
    request = request_for(model, "scene", window, window / 2)
    wanted = {clip: within for file in labels.of_file for clip, within in _clips(labels, file, window)}
    whole = dict.fromkeys(Clip(file) for file in labels.of_file) if unlabelled else {}
    clips = [*wanted, *(clip for clip in whole if clip not in wanted)]
    builder = _Builder(labels, window)
    failures: dict[str, str] = {}
    for event in _events(clips, model, request, workers, on_event, embeddings):
        if isinstance(event, Failed):
            failures[event.clip.file] = event.reason
        elif isinstance(event, Rows):
            builder.add(event, wanted.get(event.clip), unlabelled=event.clip in whole)
    return builder.finish(failures)


def _events(
    clips: list[Clip],
    model: ByolaModel,
    request: Request,
    workers: int | None,
    on_event: Callable[[Event], None] | None,
    embeddings: PathLike | None,
) -> Iterator[Event]:
    if embeddings is not None:
        yield from kept_events(embeddings, clips, model, request, workers, on_event)
        return
    for event in extract(clips, model, request, workers):
        if on_event is not None:
            on_event(event)
        yield event


def from_table(labels: Labels, table: pandas.DataFrame, *, unlabelled: bool = False) -> Examples:
    """Take the labelled windows out of a table of embeddings.

    Args:
        labels: the labels.
        table: as :func:`byola_hear.read_table` returns it.
        unlabelled: whether windows of labelled recordings that no label touches are negatives.

    Returns:
        The examples; recordings that the table lacks are in ``failures``. If it has none of the paths, recordings are
        known by their names. The window is that which the table was made with, or the median length of its rows if it
        is of whole clips or does not say.

    Raises:
        ValueError: if an embedding is not finite, or the table has none of the recordings or no window with a label.
    """
    check_embeddings(table.to_numpy(np.float32))
    start, end = (table.index.get_level_values(name).to_numpy(np.float64) for name in ("start", "end"))
    # At the ends of clips, rows are shorter than the window: of 5 s in windows of 3 s, every second one.
    window = table.attrs.get("request", {}).get("window")
    builder = _Builder(labels, float(np.median(end - start)) if window is None else window)
    places = rows_of(map(str, table.index.get_level_values("file")))
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
    paths = {_path(file): file for file in given}
    found = {file: paths[_path(file)] for file in wanted if _path(file) in paths}
    if found:
        return found
    named, asked = (Counter(map(_name, files)) for files in (given, wanted))
    names = {_name(file): file for file in given}
    return {file: names[name] for file in wanted if named[name := _name(file)] == asked[name] == 1}


def _path(file: str) -> str:
    return one_spelling(os.path.abspath(file))


def _name(file: str) -> str:
    return one_spelling(os.path.basename(file))


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
        inside = (rows.start >= begin - POINT) & (rows.end <= end + (1 - _MIN_REST) * self.window + POINT)
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
