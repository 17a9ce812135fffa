"""Ridge regression with nested validation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmark.studies.regression import nested
from benchmark.studies.regression.nested import group_folds, nested_predictions
from benchmark.studies.regression.scores import scores_of
from tests.benchmark.studies.regression.planted import planted


def test_a_planted_pitch_is_recovered() -> None:
    features, pitch, notes_of = planted()
    scores = scores_of([nested_predictions(features, pitch, notes_of)], pitch, notes_of, octaves=True)
    assert scores["r2"].value > 0.999
    assert scores["mae"].value < 0.15
    assert scores["octave_errors"].value == 0
    assert scores["semitone_hits"].value == 1
    assert scores["r2"].low <= scores["r2"].value <= scores["r2"].high


def test_noise_is_no_better_than_guessing() -> None:
    _, pitch, groups = planted()
    features = np.random.default_rng(1).standard_normal((len(pitch), 300)).astype(np.float32)
    scores = scores_of([nested_predictions(features, pitch, groups)], pitch, groups)
    assert scores["r2"].value <= 0.02
    assert scores["r2"].low <= 0


def test_a_number_that_only_depends_on_the_group_is_not_learnt() -> None:
    # Embeddings name the speaker exactly; what the speakers' numbers are, others' don't tell.
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(40), 10)
    features = np.eye(40, dtype=np.float32)[speaker] + 0.01 * rng.standard_normal((400, 40)).astype(np.float32)
    age = rng.uniform(6, 60, 40)[speaker]
    scores = scores_of([nested_predictions(features, age, speaker.astype(str))], age, speaker.astype(str))
    assert scores["r2"].value < 0.05


def test_folds_keep_groups_together() -> None:
    groups = np.repeat([f"g{number}" for number in range(13)], 5)
    tested = []
    for train, test in group_folds(groups, 5, seed=3):
        assert not set(groups[train]) & set(groups[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(groups)))


def test_it_agrees_with_scikit_learns_ridge() -> None:
    rng = np.random.default_rng(0)
    # Uniform: nothing lies so far from the others that it would be held.
    features = rng.uniform(-1, 1, (90, 40)).astype(np.float32) * rng.uniform(0.1, 10, 40).astype(np.float32)
    target = features[:, 0] + rng.standard_normal(90)
    groups = np.arange(90).astype(str)
    ours = nested_predictions(features, target, groups, strengths=[30.0])
    theirs = np.empty(90)
    for train, test in group_folds(groups, 5, 0):
        fitted = make_pipeline(StandardScaler(), Ridge(30.0)).fit(features[train].astype(float), target[train])
        theirs[test] = fitted.predict(features[test].astype(float))
    np.testing.assert_allclose(ours.predicted, theirs, atol=1e-3)
    assert ours.strengths == (30.0,) * 5


def test_tested_clips_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features, pitch, groups = planted(noise=30.0)
    first = group_folds(groups, 5, 0)[0]
    one = nested_predictions(features, pitch, groups)
    changed = pitch.copy()
    changed[first[1]] = -1000
    other = nested_predictions(features, changed, groups)
    np.testing.assert_array_equal(one.predicted[first[1]], other.predicted[first[1]])
    assert one.strengths[0] == other.strengths[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, t, g: (f, t[:-1], g), "a target and a group for each clip"),
        (lambda f, t, g: (f * np.nan, t, g), "finite"),
        (lambda f, t, g: (f, t, np.array(["a", "b"] * (len(g) // 2))), "at least three groups, got 2"),
        (lambda f, t, g: (f, t * 0 + 0.3, g), "different targets, got 0.3 for every clip"),
    ],
)
def test_unusable_input_is_refused(change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nested_predictions(*change(*planted()))


def test_strengths_reach_far_enough() -> None:
    assert min(nested.STRENGTHS) <= 1
    assert max(nested.STRENGTHS) >= 1e6
