"""All windows and hops: a frame-wise ridge regression on the windows' embeddings, then onsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from benchmark.probes.ridge import RidgeRegression
from benchmark.studies.onsets.postprocessing import choose, score
from benchmark.studies.onsets.recordings import EventSet, Track, activity, windowed

#: Raise it when a change to how onsets are found or scored changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Windows and hops in frame features (of 40 ms in the networks' shape, so up to a second). The networks' own window
#: is added.
WIDTHS = (1, 3, 5, 9, 13, 25)
HOPS = (1, 2, 3, 5, 10, 25)

#: Largest number of training frames, evenly chosen: neighbours are similar.
MOST_FRAMES = 16000

STRENGTHS = tuple(10.0**power for power in range(2, 6))

#: Frame features of all recordings, by split.
Tracks = Mapping[str, Sequence[Track]]


def framewise_scores(tracks: Tracks, recordings: EventSet, width: int) -> dict[str, list[Track]]:
    """Score validation and test recordings frame by frame by a ridge regression of activity (1 if active, else 0).

    Args:
        tracks: frame features.
        recordings: the recordings.
        width: window, in frame features.

    Returns:
        For ``valid`` and ``test``, a track of ``(n_times, n_labels)`` float32 for each recording. The strength of
        regularisation has the smallest squared error on ``valid``.
    """

    def active(split: str) -> np.ndarray:
        parts = zip(recordings.splits[split], tracks[split], strict=True)
        return np.concatenate([activity(each, recordings.labels, track.times_ms) for each, track in parts])

    target = active("train")
    step = -(-len(target) // MOST_FRAMES)
    learnt, start = [], 0
    for track in tracks["train"]:  # thinned one by one: the windows of all frames may not fit into memory
        learnt.append(windowed(track, width)[-start % step :: step])
        start += len(track.times_ms)
    fitted = RidgeRegression(torch.from_numpy(np.concatenate(learnt)), torch.from_numpy(target[::step]))
    offered = [windowed(track, width) for split in ("valid", "test") for track in tracks[split]]
    sizes = sum(len(track.times_ms) for track in tracks["valid"])
    joined = torch.from_numpy(np.concatenate(offered))
    wanted = torch.from_numpy(active("valid"))
    best: tuple[float, np.ndarray] | None = None
    for scores in fitted.scores(joined, STRENGTHS):
        error = float((scores[:sizes] - wanted).square().mean())
        if best is None or error <= best[0]:
            best = error, scores.float().numpy()
    values = best[1] if best else np.empty((0, 0))
    result: dict[str, list[Track]] = {}
    start = 0
    for split in ("valid", "test"):
        result[split] = []
        for track in tracks[split]:
            stop = start + len(track.times_ms)
            result[split].append(Track(values[start:stop], track.times_ms))
            start = stop
    return result


def thinned(tracks: Sequence[Track], hop: int) -> list[Track]:
    """Every ``hop``-th time of each track, starting with the first."""
    return [Track(track.values[::hop], track.times_ms[::hop]) for track in tracks]


def milliseconds(frames: int, frame_ms: float) -> float:
    """Convert frame features to milliseconds, rounded to the six digits of a result file.

    Example:
        >>> milliseconds(25, 41.375)
        1034.38
    """
    return float(f"{frames * frame_ms:.6g}")


def lines_of(
    tracks: Callable[[], Tracks],
    recordings: EventSet,
    frame_ms: float,
    remembered: Callable[[int, Callable[[], list[dict[str, object]]]], list[dict[str, object]]],
    widths: Sequence[int],
    hops: Sequence[int],
    step: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Compute onset F-measures for every window and hop.

    Args:
        tracks: returns the frame features; called if a window is not in the cache.
        recordings: the recordings.
        frame_ms: distance between frame features, ms.
        remembered: returns the lines of a window from the cache, or calls the given function.
        widths: windows, in frame features.
        hops: hops, in frame features.
        step: called after each window.

    Returns:
        Columns ``split``, ``window_ms``, ``hop_ms``, ``f1_200``, ``f1_50``, ``error_ms``, ``onsets``, ``median_ms``,
        ``shortest_ms``; each setting's postprocessing is chosen on ``valid``.
    """
    made: list[Tracks] = []

    def compute(width: int) -> list[dict[str, object]]:
        if not made:
            made.append(tracks())
        scores = framewise_scores(made[0], recordings, width)
        lines: list[dict[str, object]] = []
        for hop in hops:
            parts = {split: thinned(each, hop) for split, each in scores.items()}
            chosen = choose(parts["valid"], recordings.splits["valid"], recordings.labels, hop * frame_ms)
            for split, part in parts.items():
                reached = score(part, recordings.splits[split], recordings.labels, hop * frame_ms, chosen)
                lines.append(
                    {
                        "split": split,
                        "window_ms": milliseconds(width, frame_ms),
                        "hop_ms": milliseconds(hop, frame_ms),
                        "f1_200": reached.f1[0],
                        "f1_50": reached.f1[1],
                        "error_ms": reached.error_ms,
                        "onsets": reached.n_onsets,
                        "median_ms": chosen.median_ms,
                        "shortest_ms": chosen.shortest_ms,
                    }
                )
        return lines

    lines: list[dict[str, object]] = []
    for width in widths:
        lines += remembered(width, lambda width=width: compute(width))  # type: ignore[misc]
        step()
    return pd.DataFrame(lines)


def chosen_setting(numbers: pd.DataFrame) -> tuple[float, float]:
    """Choose the window and hop, ms, with the highest validation F-measure, mean over models and tasks.

    Of equally good ones, it is the shorter window, then the longer hop.
    """
    valid = numbers[numbers["split"] == "valid"]
    means = valid.groupby(["window_ms", "hop_ms"])["f1_200"].mean().reset_index()
    best = means[means["f1_200"] >= means["f1_200"].max() - 1e-9]
    first = best.sort_values(["window_ms", "hop_ms"], ascending=[True, False]).iloc[0]
    return float(first["window_ms"]), float(first["hop_ms"])
