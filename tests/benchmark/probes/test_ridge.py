"""The classifier: known answers, scikit-learn's, and what it must not look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from benchmark.probes.ridge import Ridge, classify

LABELS = np.array(["a", "b", "c"])


def blobs(n_clips: int, n_features: int, distance: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n_clips) % 3
    centres = rng.standard_normal((3, n_features)) * distance
    features = centres[codes] + rng.standard_normal((n_clips, n_features)) * rng.uniform(0.1, 10, n_features)
    return features.astype(np.float32), LABELS[codes]


def parts(n_clips: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.random.default_rng(1).permutation(n_clips)
    return rows[: n_clips // 2], rows[: n_clips // 8], rows[n_clips // 2 :]


@pytest.mark.parametrize("n_features", [5, 400])
def test_what_can_be_separated_is(n_features: int) -> None:
    features, labels = blobs(240, n_features, 100.0)
    train, choose, test = parts(240)
    predicted, _ = classify(features, labels, train, choose, test)
    assert (predicted == labels[test]).all()


@pytest.mark.parametrize("n_features", [5, 400])
def test_shuffled_labels_are_guessed(n_features: int) -> None:
    features, labels = blobs(1200, n_features, 100.0)
    labels = np.random.default_rng(2).permutation(labels)
    train, choose, test = parts(1200)
    predicted, _ = classify(features, labels, train, choose, test)
    # A third of 600, give or take four standard deviations.
    assert abs((predicted == labels[test]).mean() - 1 / 3) < 4 * np.sqrt(2 / 9 / 600)


@pytest.mark.parametrize("n_features", [7, 300])
@pytest.mark.parametrize("strength", [1.0, 1000.0])
def test_it_is_scikit_learns_ridge_classifier(n_features: int, strength: float) -> None:
    features, labels = blobs(200, n_features, 0.5)
    train, choose, test = parts(200)
    predicted, _ = classify(features, labels, train, choose, test, strengths=[strength])
    scaler = StandardScaler().fit(features[train].astype(np.float64))
    reference = RidgeClassifier(alpha=strength).fit(scaler.transform(features[train].astype(np.float64)), labels[train])
    deviation = features[train].std(0)
    within = features[test].clip(features[train].min(0) - deviation, features[train].max(0) + deviation)
    expected = reference.predict(scaler.transform(within.astype(np.float64)))
    assert (predicted == expected).mean() >= 0.99


@pytest.mark.parametrize("n_features", [5, 400])
def test_a_feature_that_hardly_ever_varied_does_not_decide(n_features: int) -> None:
    features, labels = blobs(240, n_features, 100.0)
    train, choose, test = parts(240)
    features[:, 0] = 0
    features[train[:2], 0] = 1e-4
    features[test, 0] = 1.0
    predicted, _ = classify(features, labels, train, choose, test)
    assert (predicted == labels[test]).all()


def test_features_that_very_few_clips_have_can_be_weighed() -> None:
    rng = np.random.default_rng(0)
    features = np.zeros((3100, 300), np.float32)
    features[:3] = rng.uniform(size=(3, 300)) * (rng.uniform(size=(3, 300)) < 0.5)
    labels = np.where(np.arange(3100) < 3, "rare", "usual")
    rows = np.arange(3100)
    predicted, _ = classify(features, labels, rows, rows[2:40], rows, strengths=[1.0])
    assert (predicted == labels).all()


def test_both_sides_of_the_gram_matrix_agree() -> None:
    features, labels = blobs(90, 60, 0.3)
    codes = torch.from_numpy(np.searchsorted(LABELS, labels))
    over_features = Ridge(torch.from_numpy(features), codes, 3)
    over_clips = Ridge(torch.from_numpy(features), codes, 3)
    over_clips.dual, over_clips.gram = True, (over_clips.features @ over_clips.features.T).double()
    assert not over_features.dual
    offered = torch.from_numpy(blobs(300, 60, 0.3, seed=5)[0])
    for one, other in zip(over_features.predict(offered, [1.0, 100.0]), over_clips.predict(offered, [1.0, 100.0])):
        assert (one == other).double().mean() > 0.99


def test_nothing_is_learnt_from_the_tested_clips() -> None:
    features, labels = blobs(200, 20, 0.5)
    train, choose, test = parts(200)
    first, others = test[:1], test[1:]
    before, strength = classify(features, labels, train, choose, first)
    features[others] *= 1e6
    labels[others] = "a"
    together, same_strength = classify(features, labels, train, choose, test)
    assert together[0] == before[0]
    assert same_strength == strength


def test_the_strength_is_not_chosen_on_groups_that_the_first_fit_saw() -> None:
    # Each group has its own pattern, strong, and all clips of a group share a label: within groups, hardly any
    # regularisation is best; for a group never seen, the weak common pattern must be found.
    rng = np.random.default_rng(0)
    n_groups, size, n_features = 60, 6, 200
    group_labels = np.arange(n_groups) % 2
    pattern = rng.standard_normal((n_groups, n_features)) * 3
    common = np.outer(group_labels * 2 - 1, rng.standard_normal(n_features)) * 0.5
    features = np.repeat(pattern + common, size, 0) + rng.standard_normal((n_groups * size, n_features)) * 0.1
    groups = np.repeat(np.arange(n_groups), size)
    labels = np.where(group_labels[groups] == 1, "a", "b")
    train = np.flatnonzero(groups < 40)
    choose, test = train[train % size == 0][:20], np.flatnonzero(groups >= 40)
    seen: list[int] = []
    original = Ridge.__init__

    def spy(self: Ridge, offered: torch.Tensor, *others: Any) -> None:
        seen.append(len(offered))
        original(self, offered, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ridge, "__init__", spy)
        classify(features.astype(np.float32), labels, train, choose, test, groups)
    # The first fit is without the twenty groups altogether, not only without their twenty clips.
    assert seen == [20 * size, 40 * size]


def test_without_standardising_the_largest_features_decide() -> None:
    rng = np.random.default_rng(1)
    labels = np.array(["low", "high"])[np.arange(300) % 2]
    train, choose, test = parts(300)
    features = rng.standard_normal((300, 40)).astype(np.float32) * 1e4  # noise, and large
    features[:, 0] = (labels == "high") + rng.standard_normal(300) * 0.1
    found = {}
    for standardise in (True, False):
        predicted, _ = classify(features, labels, train, choose, test, standardise=standardise)
        found[standardise] = float(np.mean(predicted == labels[test]))
    assert found[True] > found[False] + 0.1
    # One scale for all is no change of the embeddings, whatever their unit is.
    scaled, _ = classify(features * 1e-3, labels, train, choose, test, standardise=False)
    assert (scaled == predicted).mean() > 0.99


def test_features_that_do_not_vary_count_for_nothing() -> None:
    features, labels = blobs(200, 10, 1.0)
    train, choose, test = parts(200)
    expected, _ = classify(features, labels, train, choose, test)
    still = np.full((200, 3), 7.3, np.float32)
    still[test] = 1e9
    predicted, _ = classify(np.hstack([features, still]), labels, train, choose, test)
    assert (predicted == expected).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f, y, p: (np.where(f > 0, np.nan, f), y, *p), "finite embeddings, got NaN or infinity in those of"),
        (lambda f, y, p: (f, np.full(len(y), "a"), *p), r"at least two labels, got \['a'\]"),
        (lambda f, y, p: (f, y, p[0], p[1], p[2][:0]), "got 60 to train, 15 to choose, 0 to test"),
        (lambda f, y, p: (f, y, p[0], p[0], p[2]), "outside the groups that choose the strength, got none"),
    ],
)
def test_unusable_input_is_refused(spoil, message: str) -> None:
    features, labels = blobs(120, 5, 1.0)
    with pytest.raises(ValueError, match=message):
        classify(*spoil(features, labels, parts(120)))
