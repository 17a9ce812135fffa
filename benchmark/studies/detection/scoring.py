"""Scores of detections: F1 of events, and average precision of segments, both with sed_eval.

Source:
    Mesaros, Heittola, Virtanen, Metrics for polyphonic sound event detection, Applied Sciences 6(6), 2016.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmark.hear_tools import hook
from byola_hear.classification.detections import Track
from byola_hear.classification.measures import average_precisions

#: Tolerance of an onset, s. An offset's is the same, or half of the event's length if that is longer.
COLLAR, LENGTH_SHARE = 0.2, 0.5
#: Length of a segment, s.
SEGMENT = 1.0
#: The measures by name: events with onset and offset, events with an onset, segments.
MEASURES = ("event_f1", "onset_f1", "segment_ap")


@dataclass(frozen=True)
class Heard:
    """What a classifier found in one recording.

    Attributes:
        counts: ``(2, n_classes, 3)``, events with onset and offset, and with the onset alone: how many are right, how
            many there are, how many were found.
        scores: ``(n_segments, n_classes)``, the best score of each segment.
        truth: ``(n_segments, n_classes)``, whether an event is in it.
    """

    counts: np.ndarray
    scores: np.ndarray
    truth: np.ndarray


def sed_eval() -> Any:
    """The package sed_eval.

    Raises:
        ModuleNotFoundError: if it is not installed.
    """
    hook.install()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dcase_util, which it requires, imports what setuptools drops
            import sed_eval as package
    except ImportError as error:
        raise ModuleNotFoundError("scores of events need sed_eval, which `make hear` installs") from error
    return package


def heard(events: pd.DataFrame, found: pd.DataFrame, track: Track, classes: Sequence[str], seconds: float) -> Heard:
    """Compare detections with events.

    Args:
        events: the recording's events: ``start`` and ``end`` (s) and ``label``.
        found: the detections, the same columns.
        track: the scores that they came from.
        classes: names of the classes.
        seconds: length of the recording.
    """
    package = sed_eval()
    reference, estimated = _listed(events), _listed(found)
    counts = np.zeros((2, len(classes), 3))
    for place, offset in enumerate((True, False)):
        metrics = package.sound_event.EventBasedMetrics(
            list(classes), t_collar=COLLAR, percentage_of_length=LENGTH_SHARE, evaluate_offset=offset
        )
        metrics.evaluate(reference, estimated)
        for code, name in enumerate(classes):
            each = metrics.class_wise[name]
            counts[place, code] = each["Ntp"], each["Nref"], each["Nsys"]
    n_segments = int(np.ceil(seconds / SEGMENT))
    roll = np.zeros((n_segments, len(classes)))
    if len(reference):
        roll = package.util.event_list_to_event_roll(reference, list(classes), SEGMENT)
        roll = package.util.pad_event_roll(roll, n_segments)[:n_segments]
    scores = np.zeros((n_segments, len(classes)), np.float32)
    middle = ((track.start + track.end) / 2 / SEGMENT).astype(int).clip(max=n_segments - 1)
    np.maximum.at(scores, middle, track.scores)
    return Heard(counts, scores, roll > 0)


def _listed(events: pd.DataFrame) -> Any:
    from dcase_util.containers import MetaDataContainer

    rows = zip(events["start"], events["end"], events["label"], strict=True)
    return MetaDataContainer(
        [{"filename": "a", "onset": float(a), "offset": float(b), "event_label": str(c)} for a, b, c in rows]
    )


def measures(parts: Sequence[Heard], weights: np.ndarray) -> np.ndarray:
    """The measures of each class over several recordings.

    Args:
        parts: what was found in each recording.
        weights: ``(n_draws, n_recordings)``, how often each recording counts.

    Returns:
        ``(len(MEASURES), n_draws, n_classes)``; NaN for a class without events.
    """
    counts = np.stack([each.counts for each in parts])
    right, there, given = np.moveaxis(np.tensordot(weights, counts, 1), -1, 0)
    with np.errstate(invalid="ignore"):
        f1 = np.where(there > 0, 2 * right / (there + given), np.nan)
    scores = np.concatenate([each.scores for each in parts]).astype(np.float64)
    truth = np.concatenate([each.truth for each in parts])
    drawn = weights[:, np.repeat(np.arange(len(parts)), [len(each.scores) for each in parts])].astype(np.float64)
    precision = [average_precisions(scores[:, code], truth[:, code], drawn) for code in range(truth.shape[1])]
    return np.stack([f1[:, 0], f1[:, 1], np.stack(precision, 1)])
