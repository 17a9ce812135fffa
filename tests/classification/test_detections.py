"""From scores to detections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from byola_hear.classification.detections import COLUMNS, Rule, Track, detections, smoothed


def track(*scores: float, window: float = 2.0, hop: float = 1.0) -> Track:
    start: np.ndarray = np.arange(len(scores)) * hop
    return Track("a.wav", start, start + window, np.array(scores, np.float32)[:, None])


def found(made: Track, **rule: Any) -> list[tuple[float, float, float]]:
    frame = detections(made, ("owl",), Rule(np.array([0.5]), **rule))
    assert tuple(frame.columns) == COLUMNS
    return [(row.start, row.end, round(row.score, 3)) for row in frame.itertuples()]


def test_windows_that_touch_are_one_detection_with_the_best_score() -> None:
    made = track(0, 0.6, 0.9, 0.7, 0, 0, 0, 0, 0.8, 0)
    assert found(made) == [(1.5, 4.5, 0.9), (8.0, 10.0, 0.8)]
    assert found(made, merge=False) == [(1, 3, 0.6), (2, 4, 0.9), (3, 5, 0.7), (8, 10, 0.8)]
    assert found(made, gap=3.0) == [(1.5, 9.5, 0.9)]


def test_a_sound_is_found_where_it_is() -> None:
    """Windows score 1 if at least half of the sound is in them, as windows for learning do."""
    for window, hop, begin, end in ((2.0, 1.0, 10.0, 12.0), (2.0, 0.25, 10.0, 12.0), (2.0, 0.5, 7.0, 19.0)):
        start = np.arange(0, 30, hop)
        common = np.minimum(start + window, end) - np.maximum(start, begin)
        scores = common >= 0.5 * min(window, end - begin)
        (one,) = found(Track("a.wav", start, start + window, scores.astype(np.float32)[:, None]))
        assert one[0] == pytest.approx(begin, abs=hop) and one[1] == pytest.approx(end, abs=hop)


def test_detections_reach_the_ends_of_the_recording() -> None:
    assert found(track(0.9, 0.9, 0, 0, 0, 0.9, 0.9)) == [(0.0, 2.5, 0.9), (5.5, 8.0, 0.9)]
    assert found(track(0.9, 0.9, 0.9)) == [(0.0, 4.0, 0.9)]
    assert found(track(0.9)) == [(0.0, 2.0, 0.9)]


def test_the_best_are_kept() -> None:
    made = track(0.6, 0, 0, 0.9, 0, 0, 0.7, 0, 0, 0.9)
    assert found(made, top=2) == found(made, top=np.int64(2)) == [(3, 5, 0.9), (9, 11, 0.9)]
    assert found(made, top=9) == found(made)


@pytest.mark.parametrize(
    ("start", "end", "scores", "expected"),
    [
        ([0, 2, 10, 11], [2, 10, 11, 30], [0, 0.9, 0.8, 0], [(2, 11, 0.9)]),
        ([0, 4, 6, 20], [10, 5, 7, 21], [0.9, 0.8, 0.7, 0], [(0, 10, 0.9)]),  # one in another
        ([0, 4, 6, 9.5], [10, 5, 7, 12], [0.9, 0, 0, 0.7], [(0, 12, 0.9)]),
        # Windows of two segments: none begins before the second one.
        ([0, 1, 2, 10, 11, 12], [2, 3, 4, 12, 13, 14], [0, 0, 0, 0.9, 0.8, 0], [(10, 12.5, 0.9)]),
    ],
)
def test_segments_of_a_recording(
    start: list[float], end: list[float], scores: list[float], expected: list[tuple[float, float, float]]
) -> None:
    made = Track("a.wav", np.array(start, float), np.array(end, float), np.array(scores, np.float32)[:, None])
    assert found(made) == expected


def test_classes_are_apart() -> None:
    start = np.arange(3.0)
    scores = np.array([[0.9, 0], [0.9, 0.3], [0, 0.3]], np.float32)
    made = detections(Track("a.wav", start, start + 1, scores), ("owl", "fox"), Rule(np.array([0.5, 0.2])))
    assert made["label"].tolist() == ["owl", "fox"]
    none = detections(Track("a.wav", start, start + 1, scores), ("owl", "fox"), Rule(np.array([np.inf, 0.4])))
    assert len(none) == 0 and tuple(none.columns) == COLUMNS and none["score"].dtype == float


def test_smoothing_is_a_mean_over_time() -> None:
    made = track(0, 0, 1, 0, 0, 1)
    assert smoothed(made, 2.0)[:, 0].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 0.5])
    assert smoothed(made, 0.0) is made.scores
    assert smoothed(made, 0.5)[:, 0].tolist() == made.scores[:, 0].tolist()
    assert found(made, smooth=2.0) == [(5.0, 7.0, 0.5)]
    # A segment that lies in another: their middles are not in the order of their starts.
    made = Track(
        "a.wav", np.array([0.0, 1.0, 4.0]), np.array([10.0, 2.0, 6.0]), np.array([[1], [0], [0.5]], np.float32)
    )
    assert smoothed(made, 1.0)[:, 0].tolist() == [0.75, 0, 0.75]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"top": 0}, "top must be a positive integer, got 0"),
        ({"top": True}, "top must be"),
        ({"gap": -1}, "gap must be a number of seconds from 0 on, got -1"),
        ({"smooth": float("nan")}, "smooth must be"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rule(np.array([0.5]), **rule)
