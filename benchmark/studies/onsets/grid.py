"""Every window with every hop: a frame-wise ridge regression on the windows' embeddings, then onsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from benchmark.probes.ridge import RidgeRegression
from benchmark.studies.onsets.postprocessing import choose, score
from benchmark.studies.onsets.recordings import EventSet, Track, activity, windowed

#: Raise it when a change to how onsets are found, matched or scored moves a number; what is cached is then out of date.
MEASUREMENT_VERSION = 1

#: Windows in frame features, hops in frame features: of 40 ms each in the networks' shape, so up to a second. The
#: networks' own window is tried besides.
WIDTHS = (1, 3, 5, 9, 13, 25)
HOPS = (1, 2, 3, 5, 10, 25)

#: Frames to learn from at most, evenly chosen: neighbours are much alike.
MOST_FRAMES = 16000

STRENGTHS = tuple(10.0**power for power in range(2, 6))

#: Frame features of all recordings, by split.
Tracks = Mapping[str, Sequence[Track]]


def framewise_scores(tracks: Tracks, recordings: EventSet, width: int) -> dict[str, list[Track]]:
    """Scores along the validation and test recordings, of a ridge regression of what is going on (1) or not (0).

    Args:
        tracks: frame features.
        recordings: what they are of.
        width: frames of the window.

    Returns:
        For ``valid`` and ``test`` a track of ``(n_times, n_labels)`` float32 a recording. The strength of
        regularisation is the one with the smallest squared error on ``valid``.
    """

    def active(split: str) -> np.ndarray:
        parts = zip(recordings.splits[split], tracks[split], strict=True)
        return np.concatenate([activity(each, recordings.labels, track.times_ms) for each, track in parts])

    target = active("train")
    step = -(-len(target) // MOST_FRAMES)
    learnt, start = [], 0
    for track in tracks["train"]:  # thinned one by one: the windows of all frames may be more than memory holds
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
    """Every ``hop``-th time of each track, from the first on."""
    return [Track(track.values[::hop], track.times_ms[::hop]) for track in tracks]


def milliseconds(frames: int, frame_ms: float) -> float:
    """So many frame features in milliseconds, to the six digits that a result file keeps.

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
    """Onset F-measures for every window and hop.

    Args:
        tracks: gives the frame features, called when a window is not remembered.
        recordings: what they are of.
        frame_ms: from one frame feature to the next.
        remembered: given a window and what computes its lines, gives the lines.
        widths: windows, in frame features.
        hops: in frame features.
        step: called after each window.

    Returns:
        Columns ``split``, ``window_ms``, ``hop_ms``, ``f1_200``, ``f1_50``, ``error_ms``, ``onsets``, ``median_ms``,
        ``shortest_ms``; postprocessing is chosen on ``valid`` for each.
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
    """Window and hop, ms, with the highest validation F-measure, mean over models and tasks; of equally good ones, the
    shorter window, then the longer hop."""
    valid = numbers[numbers["split"] == "valid"]
    means = valid.groupby(["window_ms", "hop_ms"])["f1_200"].mean().reset_index()
    best = means[means["f1_200"] >= means["f1_200"].max() - 1e-9]
    first = best.sort_values(["window_ms", "hop_ms"], ascending=[True, False]).iloc[0]
    return float(first["window_ms"]), float(first["hop_ms"])
