"""From scores along time to detections: smoothed, compared with thresholds, merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

#: Columns of a table of detections.
COLUMNS = ("file", "start", "end", "label", "score")


@dataclass(frozen=True)
class Rule:
    """How scores become detections.

    Attributes:
        thresholds: ``(n_classes,)``; scores from here on are detections.
        top: largest number of detections of a class in a recording, those with the best scores; None for all.
        merge: whether detections of a class that follow each other are one.
        gap: longest time between windows that are merged, s.
        smooth: length over which scores are averaged along time, s; 0 for none.
    """

    thresholds: NDArray[np.float64]
    top: int | None = None
    merge: bool = True
    gap: float = 0.0
    smooth: float = 0.0

    def __post_init__(self) -> None:
        is_number = isinstance(self.top, (int, np.integer)) and not isinstance(self.top, bool)
        if self.top is not None and not (is_number and self.top >= 1):
            raise ValueError(f"top must be a positive integer, got {self.top!r}")
        for name in ("gap", "smooth"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a number of seconds from 0 on, got {value!r}")


@dataclass(frozen=True, eq=False)
class Track:
    """Scores of one recording's windows, in the order of time.

    Attributes:
        file: the recording.
        start: ``(n,)`` float64, s.
        end: ``(n,)`` float64, s.
        scores: ``(n, n_classes)`` float32.
    """

    file: str
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    scores: NDArray[np.float32]


def detections(track: Track, classes: tuple[str, ...], rule: Rule) -> pandas.DataFrame:
    """Detect the classes in a recording.

    Windows of a class that overlap or touch are one detection with the best of their scores. As neighbouring windows
    overlap, a sound raises the scores of windows that begin before it and end after it. So a detection reaches from the
    middle of its first window to the middle of its last, with half a hop more on each side; it is at least one window
    long, and reaches the recording's beginning or end if its first or last window does. Segments of a
    recording may lie anywhere: there, a detection loses half of what it shares with the segment before or after it.

    Args:
        track: the scores.
        classes: names of the classes.
        rule: what is a detection.

    Returns:
        The columns ``file``, ``start`` and ``end`` (s), ``label`` and ``score``; sorted by start, end and class.

    Example:
        >>> scores = np.array([[0.1], [0.9], [0.8], [0.2]], np.float32)
        >>> track = Track("day.wav", np.arange(4.0), np.arange(4.0) + 2, scores)
        >>> detections(track, ("owl",), Rule(np.array([0.5])))
              file  start  end label  score
        0  day.wav    1.5  3.5   owl    0.9
    """
    scores = smoothed(track, rule.smooth)
    found: list[tuple[float, float, int, float]] = []
    for code, threshold in enumerate(rule.thresholds):
        hits = np.flatnonzero(scores[:, code] >= threshold)
        runs = _runs(track, hits, rule)
        spans = [_span(track, run, rule.merge) for run in runs]
        best = [float(scores[run, code].max()) for run in runs]
        kept: Iterable[int] = range(len(spans))
        if rule.top is not None:
            kept = sorted(kept, key=lambda index: (-best[index], index))[: rule.top]
        found += [(*spans[index], code, best[index]) for index in kept]
    found.sort()
    return frame([(track.file, start, end, classes[code], score) for start, end, code, score in found])


def frame(rows: list[tuple[str, float, float, str, float]]) -> pandas.DataFrame:
    """A table of detections; with its columns and their types even without a row."""
    import pandas as pd

    columns: dict[str, Any] = dict(zip(COLUMNS, zip(*rows) if rows else [()] * len(COLUMNS), strict=True))
    kinds = dict(zip(COLUMNS, (object, "float64", "float64", object, "float64"), strict=True))
    return pd.DataFrame({name: pd.Series(list(values), dtype=kinds[name]) for name, values in columns.items()})


def smoothed(track: Track, seconds: float) -> NDArray[np.float32]:
    """Scores averaged over the windows whose middles are at most half of ``seconds`` away."""
    if seconds <= 0 or len(track.start) < 2:
        return track.scores
    middle = (track.start + track.end) / 2
    order = np.argsort(middle, kind="stable")  # one segment may lie in another
    middle, scores = middle[order], track.scores[order]
    first = np.searchsorted(middle, middle - seconds / 2 - 1e-9, "left")
    last = np.searchsorted(middle, middle + seconds / 2 + 1e-9, "right")
    total = np.concatenate([np.zeros((1, scores.shape[1])), np.cumsum(scores, 0, dtype=np.float64)])
    averaged = np.empty_like(scores)
    averaged[order] = (total[last] - total[first]) / (last - first)[:, None]
    return averaged


def _runs(track: Track, hits: NDArray[np.intp], rule: Rule) -> list[NDArray[np.intp]]:
    """The windows of each detection."""
    if not len(hits):
        return []
    if not rule.merge:
        return list(hits[:, None])
    apart = track.start[hits[1:]] > np.maximum.accumulate(track.end[hits])[:-1] + rule.gap + 1e-9
    return np.split(hits, np.flatnonzero(apart) + 1)


def _span(track: Track, run: NDArray[np.intp], merge: bool) -> tuple[float, float]:
    start, end = track.start, track.end
    # A segment may lie in another. Windows at the end of a recording end together, to a sample.
    first, last = int(run[0]), int(run[np.flatnonzero(end[run] > end[run].max() - 1e-3)[-1]])
    if not merge or first == last:
        return float(start[first]), float(end[last])
    steps = np.diff(start)
    if np.ptp(steps) < 1e-6:
        hop = float(np.median(steps))
        begin, stop = (float(start[place] + end[place]) / 2 for place in (first, last))
        begin, stop = begin - hop / 2, stop + hop / 2
    else:
        before, after = first - 1, min(int(run[-1]) + 1, len(start) - 1)
        begin = start[first] + max(end[before] - start[first], 0.0) / 2 if first else start[0]
        stop = end[last] - max(end[last] - start[after], 0.0) / 2
    length = float(end[first] - start[first])
    short = max(length - (stop - begin), 0.0) / 2
    begin, stop = max(begin - short, start[first]), min(stop + short, end[last])
    # The sound may reach beyond the middles of windows that have no neighbour.
    return float(start[0] if first == 0 else begin), float(end[last] if run[-1] == len(start) - 1 else stop)
