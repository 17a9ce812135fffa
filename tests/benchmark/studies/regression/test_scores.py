"""Scores of predicted numbers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.studies.regression.nested import Predictions, nested_predictions
from benchmark.studies.regression.scores import guessing, r2_difference, scores_of
from tests.benchmark.studies.regression.planted import planted


def test_guessing_the_mean_is_zero() -> None:
    features, pitch, groups = planted()
    scores = scores_of([guessing(nested_predictions(features, pitch, groups))], pitch, groups, octaves=True)
    assert scores["r2"].value == 0
    assert scores["mae"].value == pytest.approx(np.abs(pitch - pitch.mean()).mean(), rel=0.1)


def test_a_difference_is_of_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    target, groups = rng.standard_normal(300), np.arange(300).astype(str)
    shared = rng.standard_normal(300)
    better, worse = (Predictions(target + size * shared, np.zeros(300), ()) for size in (0.90, 0.95))
    ahead = r2_difference([better], [worse], target, groups)
    assert 0 < ahead.low < ahead.value < ahead.high
    # Each by itself is far less certain than their difference.
    assert scores_of([better], target, groups)["r2"].low < scores_of([worse], target, groups)["r2"].high
    none = r2_difference([better], [better, better], target, groups)
    assert (none.value, none.low, none.high) == (0, 0, 0)


def test_octaves_are_counted() -> None:
    target = np.array([60.0, 60, 60, 60])
    predictions = Predictions(np.array([60.4, 71.0, 48.0, 63.0]), np.full(4, 66.0), ())
    scores = scores_of([predictions], target, np.array(list("abcd")), octaves=True)
    assert (scores["octave_errors"].value, scores["semitone_hits"].value) == (0.5, 0.25)
