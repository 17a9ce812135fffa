"""From scores along time to onsets, as heareval does it: median filter, threshold, shortest event. What of these is
best is chosen on validation recordings, the threshold for each label by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from benchmark.studies.onsets.matching import count_pairs, delays
from benchmark.studies.onsets.recordings import APART_MS, Recording, Track, onsets

#: What is tried: milliseconds of the median filter and of the shortest event, and thresholds of a score that is 1 for
#: what is there and 0 for what is not.
MEDIANS_MS, SHORTEST_MS = (0.0, 120.0, 240.0), (0.0, 120.0, 240.0)
THRESHOLDS = tuple(np.arange(0.1, 0.85, 0.05).round(2).tolist())

#: How far an onset may be off, milliseconds; the first is HEAR's and chooses.
TOLERANCES_MS = (200.0, 50.0)


@dataclass(frozen=True)
class Postprocessing:
    """How scores become events.

    Attributes:
        median_ms: length of the median filter, rounded to whole hops; none if that is less than two.
        shortest_ms: events that are shorter are left out.
        thresholds: one a label; an event is where the score is higher.
    """

    median_ms: float
    shortest_ms: float
    thresholds: tuple[float, ...]


@dataclass(frozen=True)
class OnsetScore:
    """How well onsets were found.

    Attributes:
        f1: F-measure over all labels together, at each of ``TOLERANCES_MS``.
        error_ms: median over the onsets matched at the first tolerance of how far each is off; nan without any.
        n_onsets: how many there are.
    """

    f1: tuple[float, ...]
    error_ms: float
    n_onsets: int


def _smoothed(tracks: Sequence[Track], median_ms: float, hop_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all recordings one after the other, a row of minus infinity after each, and the common times."""
    width = round(median_ms / hop_ms)
    values: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for place, track in enumerate(tracks):
        scores = median_filter(track.values, size=(width, 1)) if width > 1 else track.values
        values += [scores, np.full((1, scores.shape[1]), -np.inf, scores.dtype)]
        times += [place * APART_MS + track.times_ms, np.array([np.nan])]
    return np.concatenate(values), np.concatenate(times)


def _starts(scores: np.ndarray, times: np.ndarray, threshold: float, shortest_ms: float, hop_ms: float) -> np.ndarray:
    """Onsets of one label: the times at which runs above the threshold begin that are long enough."""
    edges = np.diff((scores > threshold).astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return times[first[(last - first) * hop_ms >= shortest_ms - 1e-6]]


def f_measure(n_pairs: float, n_reference: float, n_found: float) -> float:
    """F1 of so many pairs.

    Example:
        >>> f_measure(2, 3, 5)
        0.5
    """
    return 2 * n_pairs / (n_reference + n_found) if n_reference + n_found else 0.0


def choose(
    tracks: Sequence[Track], recordings: Sequence[Recording], labels: Sequence[str], hop_ms: float
) -> Postprocessing:
    """The postprocessing with the highest onset F-measure at the first tolerance.

    Args:
        tracks: scores ``(n_times, n_labels)`` along each recording.
        recordings: what is in them.
        labels: in the order of the scores.
        hop_ms: from one time to the next.

    Returns:
        The best; of equally good ones, the one that does least.
    """
    references = [onsets(recordings, label) for label in labels]
    best: tuple[float, Postprocessing] | None = None
    for median_ms in MEDIANS_MS:
        if median_ms and round(median_ms / hop_ms) < 2:
            continue
        scores, times = _smoothed(tracks, median_ms, hop_ms)
        for shortest_ms in SHORTEST_MS:
            if shortest_ms and shortest_ms <= hop_ms:
                continue
            totals, thresholds = np.zeros(3), []
            for index, reference in enumerate(references):
                counts = {}
                for threshold in THRESHOLDS:
                    found = _starts(scores[:, index], times, threshold, shortest_ms, hop_ms)
                    n_pairs = count_pairs(reference, found, TOLERANCES_MS[0])
                    counts[threshold] = n_pairs, len(reference), len(found)
                taken = max(counts, key=lambda threshold: (f_measure(*counts[threshold]), -abs(threshold - 0.5)))
                thresholds.append(taken)
                totals += counts[taken]
            reached = f_measure(*totals)
            if best is None or reached > best[0]:
                best = reached, Postprocessing(median_ms, shortest_ms, tuple(thresholds))
    if best is None:
        raise ValueError("expected at least one label, got none")
    return best[1]


def score(
    tracks: Sequence[Track],
    recordings: Sequence[Recording],
    labels: Sequence[str],
    hop_ms: float,
    postprocessing: Postprocessing,
) -> OnsetScore:
    """How well onsets are found; arguments as of :func:`choose`."""
    scores, times = _smoothed(tracks, postprocessing.median_ms, hop_ms)
    totals = np.zeros((len(TOLERANCES_MS), 3))
    late = []
    for index, label in enumerate(labels):
        reference = onsets(recordings, label)
        found = _starts(scores[:, index], times, postprocessing.thresholds[index], postprocessing.shortest_ms, hop_ms)
        n_pairs = [count_pairs(reference, found, tolerance) for tolerance in TOLERANCES_MS]
        totals += [(count, len(reference), len(found)) for count in n_pairs]
        late.append(delays(reference, found, TOLERANCES_MS[0]))
    every = np.abs(np.concatenate(late))
    error = float(np.median(every)) if len(every) else float("nan")
    return OnsetScore(tuple(f_measure(*row) for row in totals), error, int(totals[0, 1]))
