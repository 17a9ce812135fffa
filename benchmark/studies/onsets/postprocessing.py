"""From scores over time to onsets, like heareval: median filter, threshold, shortest event.

The parameters are chosen on validation recordings, the threshold for each label separately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from benchmark.studies.onsets.matching import count_pairs, delays
from benchmark.studies.onsets.recordings import APART_MS, Recording, Track, onsets

#: Candidates: lengths of the median filter and of the shortest event, ms, and thresholds of scores that are 1 for
#: active and 0 for inactive.
MEDIANS_MS, SHORTEST_MS = (0.0, 120.0, 240.0), (0.0, 120.0, 240.0)
THRESHOLDS = tuple(np.arange(0.1, 0.85, 0.05).round(2).tolist())

#: Tolerances of onsets, ms. The first is HEAR's, and postprocessing is chosen with it.
TOLERANCES_MS = (200.0, 50.0)


@dataclass(frozen=True)
class Postprocessing:
    """The parameters that turn scores into events.

    Attributes:
        median_ms: length of the median filter, rounded to hops; no filter if below two hops.
        shortest_ms: shorter events are dropped.
        thresholds: one for each label; an event is where the score is above it.
    """

    median_ms: float
    shortest_ms: float
    thresholds: tuple[float, ...]


@dataclass(frozen=True)
class OnsetScore:
    """The result of onset detection.

    Attributes:
        f1: F-measure over all labels together, for each of ``TOLERANCES_MS``.
        error_ms: median absolute delay of the onsets matched at the first tolerance; nan without matches.
        n_onsets: number of true onsets.
    """

    f1: tuple[float, ...]
    error_ms: float
    n_onsets: int


def _smoothed(tracks: Sequence[Track], median_ms: float, hop_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate the smoothed scores of all recordings, with a row of minus infinity after each, and their times."""
    width = round(median_ms / hop_ms)
    values: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for place, track in enumerate(tracks):
        scores = median_filter(track.values, size=(width, 1)) if width > 1 else track.values
        values += [scores, np.full((1, scores.shape[1]), -np.inf, scores.dtype)]
        times += [place * APART_MS + track.times_ms, np.array([np.nan])]
    return np.concatenate(values), np.concatenate(times)


def _starts(scores: np.ndarray, times: np.ndarray, threshold: float, shortest_ms: float, hop_ms: float) -> np.ndarray:
    """Onsets of a label: the starts of long enough runs above the threshold."""
    edges = np.diff((scores > threshold).astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return times[first[(last - first) * hop_ms >= shortest_ms - 1e-6]]


def f_measure(n_pairs: float, n_reference: float, n_found: float) -> float:
    """F-measure from numbers of pairs, true onsets and detected onsets.

    Example:
        >>> f_measure(2, 3, 5)
        0.5
    """
    return 2 * n_pairs / (n_reference + n_found) if n_reference + n_found else 0.0


def choose(
    tracks: Sequence[Track], recordings: Sequence[Recording], labels: Sequence[str], hop_ms: float
) -> Postprocessing:
    """Choose the postprocessing with the highest onset F-measure at the first tolerance.

    Args:
        tracks: scores ``(n_times, n_labels)`` along each recording.
        recordings: the recordings with their events.
        labels: labels in the order of the scores.
        hop_ms: distance between times, ms.

    Returns:
        The best parameters; of equally good ones, those that change least.
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
    """Score the detected onsets; arguments as of :func:`choose`."""
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
