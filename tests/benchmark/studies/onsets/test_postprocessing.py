"""From scores to onsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from benchmark.studies.onsets.grid import lines_of
from benchmark.studies.onsets.postprocessing import choose, score
from benchmark.studies.onsets.recordings import Track
from tests.benchmark.studies.onsets.planted import HOP, LABELS, forgetful, planted


def test_the_error_is_the_one_that_was_planted() -> None:
    events, tracks = planted(late_ms=30.0)
    numbers = lines_of(lambda: tracks, events, HOP, forgetful, widths=(1,), hops=(1,))
    assert numbers["error_ms"].tolist() == [30.0, 30.0]
    assert numbers["f1_50"].tolist() == [1.0, 1.0]


def test_uninformative_scores_find_few_onsets() -> None:
    events, tracks = planted()
    rng = np.random.default_rng(3)
    noise = [Track(rng.standard_normal((len(track.times_ms), 2)), track.times_ms) for track in tracks["valid"]]
    chosen = choose(noise, events.splits["valid"], LABELS, HOP)
    assert score(noise, events.splits["valid"], LABELS, HOP, chosen).f1[1] < 0.4


times = st.lists(st.integers(0, 60), max_size=12, unique=True).map(lambda each: np.sort(np.array(each, dtype=float)))


def test_the_f_measure_is_sed_evals() -> None:
    sed_eval = pytest.importorskip("sed_eval", reason="HEAR's tools are not installed")
    events, tracks = planted(late_ms=10.0)
    rng = np.random.default_rng(1)
    valid = [
        Track(track.values[:, :2].astype(float) + 1.0 * rng.standard_normal((len(track.times_ms), 2)), track.times_ms)
        for track in tracks["valid"]
    ]
    part = events.splits["valid"]
    chosen = choose(valid, part, LABELS, HOP)
    ours = score(valid, part, LABELS, HOP, chosen)
    metrics = sed_eval.sound_event.EventBasedMetrics(list(LABELS), t_collar=0.2, evaluate_offset=False)
    for recorded, track in zip(part, valid):
        truth = [
            {"event_label": e.label, "event_onset": e.start_ms / 1000, "event_offset": e.end_ms / 1000, "file": "a"}
            for e in recorded.events
        ]
        metrics.evaluate(truth, found_events(track, chosen))
    theirs = metrics.results_overall_metrics()["f_measure"]["f_measure"]
    assert 0.3 < theirs < 1
    assert ours.f1[0] == pytest.approx(theirs, abs=0.02)


def found_events(track: Track, chosen: Any) -> list[dict[str, Any]]:
    """What the postprocessing finds, the plain way."""
    from scipy.ndimage import median_filter

    width = round(chosen.median_ms / HOP)
    values = median_filter(track.values, size=(width, 1)) if width > 1 else track.values
    events = []
    for column, label in enumerate(LABELS):
        active = values[:, column] > chosen.thresholds[column]
        start = None
        for index, on in enumerate([*active, False]):
            if on and start is None:
                start = index
            elif not on and start is not None:
                if (index - start) * HOP >= chosen.shortest_ms:
                    onset, offset = track.times_ms[start] / 1000, start * HOP / 1000 + (index - start) * HOP / 1000
                    events.append({"event_label": label, "event_onset": onset, "event_offset": offset, "file": "a"})
                start = None
    return events
