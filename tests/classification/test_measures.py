"""Measures against scikit-learn's, thresholds and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from byola_hear.classification.measures import average_precisions, interval, measured, precision_recall


@pytest.fixture
def scores() -> np.ndarray:
    # Few different ones, so that there are ties.
    return np.random.default_rng(0).integers(0, 30, 200) / 30


@pytest.fixture
def truth(scores: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).random(200) < scores * 0.6


def test_average_precision_is_that_of_scikit_learn(scores: np.ndarray, truth: np.ndarray) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    weights = np.random.default_rng(2).integers(0, 3, (4, 200)).astype(float)
    expected = [metrics.average_precision_score(truth, scores, sample_weight=each) for each in weights]
    np.testing.assert_allclose(average_precisions(scores, truth, weights), expected, atol=1e-9)
    np.testing.assert_allclose(
        average_precisions(scores, truth), [metrics.average_precision_score(truth, scores)], atol=1e-9
    )


def test_the_threshold_of_best_f1_has_its_precision_and_recall(scores: np.ndarray, truth: np.ndarray) -> None:
    values = measured(scores, truth, np.arange(200))
    found = scores >= values.operating.best_f1
    precision, recall = (found & truth).sum() / found.sum(), (found & truth).sum() / truth.sum()
    assert (values.precision, values.recall) == pytest.approx((precision, recall))
    for threshold in np.unique(scores):
        other = scores >= threshold
        assert 2 * (other & truth).sum() / (other.sum() + truth.sum()) <= values.f1 + 1e-12


def test_the_threshold_of_a_precision_is_the_lowest_that_reaches_it(scores: np.ndarray, truth: np.ndarray) -> None:
    operating = measured(scores, truth, np.arange(200)).operating
    thresholds, precision, _ = precision_recall(scores, truth)
    for wished in (0.3, 0.5, 0.6):
        lowest = thresholds[precision >= wished].min() if (precision >= wished).any() else np.inf
        assert np.array_equal(scores >= operating.of_precision(wished), scores >= lowest)
    assert operating.of_precision(1.01) == np.inf


def test_all_thresholds_lie_between_the_scores() -> None:
    scores, truth = np.array([0.01, 0.02, 0.98, 0.99]), np.array([False, False, True, True])
    operating = measured(scores, truth, np.arange(4)).operating
    # A sound of the class need not score as much as the lowest of those that were seen.
    assert operating.best_f1 == operating.of_precision(0.9) == operating.of_precision(1) == 0.5
    assert operating.of_precision(0.5) == 0.01


def test_of_thousands_of_windows_every_percent_has_its_lowest_threshold() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(6300) < 300
    scores = 1 / (1 + np.exp(-rng.normal(np.where(truth, 1.25, -1.25), 1)))
    operating = measured(scores, truth, np.arange(6300)).operating
    thresholds, precision, _ = precision_recall(scores, truth)
    for percent in range(1, 101):
        lowest = min(thresholds[precision >= percent / 100], default=np.inf)
        assert (scores >= operating.of_precision(percent / 100)).sum() == (scores >= lowest).sum()
    highest = thresholds[precision == precision.max()].min()
    assert (scores >= operating.of_precision(precision.max())).sum() == (scores >= highest).sum()
    assert len(operating.points) <= 101


def test_an_interval_is_wider_where_windows_come_from_few_recordings(scores: np.ndarray, truth: np.ndarray) -> None:
    low, high = interval(scores, truth, np.arange(200))
    assert low < average_precisions(scores, truth)[0] < high
    few_low, few_high = interval(scores, truth, np.arange(200) // 40)
    assert few_high - few_low != pytest.approx(high - low)
    # One recording four times over says no more than once.
    again_low, again_high = interval(np.tile(scores, 4), np.tile(truth, 4), np.tile(np.arange(200), 4))
    assert again_high - again_low == pytest.approx(high - low, rel=0.35)
