"""Confusions between labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.page.confusion import confusions


def test_confusions_count_pairs_of_labels(new_run: Callable[[], Any]) -> None:
    run = new_run()
    run.task("digits", "speech")
    run.task("events", "nonspeech")
    target, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 2, 2, 1, 1, 0])
    run.outcome("both", "digits", target == predicted, labels=("a", "b", "c"), target=target, predicted=predicted)
    run.outcome("both", "events", np.tile([2.0, 1, 1], (5, 1)), metric="event_onset_200ms_fms")
    found = confusions(compare(load_run(run.write())))
    assert found == {"digits": {"labels": ["a", "b", "c"], "models": {"both": [0, 0, 1, 0, 2, 2, 1, 1, 2, 2, 0, 1]}}}
