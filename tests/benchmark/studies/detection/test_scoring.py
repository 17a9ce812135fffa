"""Measures of detections: what is right counts, and what recordings weigh."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sed_eval", reason="HEAR's tools are not installed")

from benchmark.studies.detection.scoring import Heard, heard, measures
from byola_hear.classification.detections import Track

CLASSES = ("dog", "yes")
EVENTS = pd.DataFrame(
    [(1.0, 1.5, "dog"), (4.0, 4.5, "yes"), (7.0, 7.5, "dog")],
    columns=["start", "end", "label"],
)


def track(scores: np.ndarray) -> Track:
    start = np.arange(len(scores), dtype=np.float64) / 4
    return Track("a.wav", start, start + 0.5, scores.astype(np.float32))


def scores_of(events: pd.DataFrame) -> np.ndarray:
    middle = np.arange(40) * 0.25 + 0.25
    found = np.zeros((40, 2))
    for row in events.itertuples():
        found[(middle > row.start) & (middle < row.end), CLASSES.index(row.label)] = 0.9
    return found


def all_of(part: Heard) -> np.ndarray:
    return measures([part], np.ones((1, 1)))[:, 0]


def test_what_is_all_right() -> None:
    part = heard(EVENTS, EVENTS, track(scores_of(EVENTS)), CLASSES, 10.0)
    np.testing.assert_allclose(all_of(part), np.ones((3, 2)))
    assert part.truth.sum(0).tolist() == [2, 1] and part.truth.shape == (10, 2)


def test_late_onsets_wrong_ends_and_nothing() -> None:
    late = EVENTS.assign(start=EVENTS["start"] + 0.3, end=EVENTS["end"] + 0.3)
    long = EVENTS.assign(end=EVENTS["end"] + 1)
    nothing = EVENTS.iloc[:0]
    silent = track(np.zeros((40, 2)))
    for found, expected in ((late, [0, 0]), (long, [0, 1]), (nothing, [0, 0])):
        result = all_of(heard(EVENTS, found, silent, CLASSES, 10.0))
        np.testing.assert_allclose(result[:2], np.repeat(np.array(expected)[:, None], 2, 1))
    # Equal scores say nothing: the precision is the share of segments.
    np.testing.assert_allclose(result[2], [0.2, 0.1])


def test_recordings_count_as_often_as_they_weigh() -> None:
    good = heard(EVENTS, EVENTS, track(scores_of(EVENTS)), CLASSES, 10.0)
    bad = heard(EVENTS, EVENTS.iloc[:0], track(-scores_of(EVENTS)), CLASSES, 10.0)
    result = measures([good, bad], np.array([[1, 0], [0, 1], [1, 1], [2, 1]]))
    np.testing.assert_allclose(result[0, :, 0], [1, 0, 2 / 3, 0.8])
    assert result[2, 0, 0] == 1 > result[2, 3, 0] > result[2, 2, 0] > result[2, 1, 0]
