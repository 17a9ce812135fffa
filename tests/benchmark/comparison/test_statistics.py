"""Intervals, tests and averages give the numbers that are known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark.comparison.averages import compared, hear_average
from benchmark.comparison.intervals import (
    basic_bootstrap_limits,
    bootstrap_scores,
    file_interval,
    fold_interval,
    fold_spread,
    percentiles,
)
from benchmark.comparison.metrics import METRICS, metric
from benchmark.comparison.paired import exchange_test, group_exchange, holm, least_p, mcnemar

ACCURACY, F_MEASURE = metric("top1_acc"), metric("event_onset_200ms_fms")


def accuracy_counts(right: np.ndarray) -> np.ndarray:
    return np.stack([right, np.ones(len(right)), np.ones(len(right))], axis=1).astype(float)


@pytest.mark.parametrize(("n", "share"), [(400, 0.5), (300, 0.9), (1000, 0.75)])
def test_bootstrap_of_an_accuracy_agrees_with_the_binomial(n: int, share: float) -> None:
    counts = accuracy_counts(np.arange(n) < share * n)
    draws = bootstrap_scores(ACCURACY, counts[:, None], np.zeros(n, int), 0, 4000)[0]
    interval = file_interval(ACCURACY, draws, counts)
    low, high = stats.binom.interval(0.95, n, share)
    assert interval is not None and interval.method == "files"
    assert interval.low == pytest.approx(low / n, abs=1.5 / n + 0.003)
    assert interval.high == pytest.approx(high / n, abs=1.5 / n + 0.003)
    assert draws.std() == pytest.approx(math.sqrt(share * (1 - share) / n), rel=0.08)


def test_if_all_files_are_correct_the_interval_is_wilsons() -> None:
    counts = accuracy_counts(np.ones(140))
    draws = bootstrap_scores(ACCURACY, counts[:, None], np.zeros(140, int), 0)[0]
    interval = file_interval(ACCURACY, draws, counts)
    expected = stats.binomtest(140, 140).proportion_ci(method="wilson")
    assert interval is not None
    assert (interval.low, interval.high, interval.method) == (expected.low, expected.high, "binomial")
    assert interval.low < 0.99


def test_files_are_drawn_within_folds_and_the_same_for_every_model() -> None:
    # All of one fold is right and nothing of the other: within folds nothing can vary.
    fold_of = np.repeat([0, 1], [30, 70])
    counts = np.stack([accuracy_counts(fold_of == 0), accuracy_counts(fold_of == 0)], axis=1)
    draws = bootstrap_scores(ACCURACY, counts, fold_of, 0, 50)
    np.testing.assert_allclose(draws, 0.5)
    assert file_interval(ACCURACY, draws[0], counts[:, 0]) is None
    right = np.random.default_rng(0).uniform(size=(100, 1)) < 0.5
    pair = np.concatenate([accuracy_counts(right[:, 0])[:, None]] * 2, axis=1)
    first, second = bootstrap_scores(ACCURACY, pair, fold_of, 0, 50)
    np.testing.assert_array_equal(first, second)
    assert first.std() > 0


def test_large_weights_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = accuracy_counts(np.arange(90) % 3 > 0)[:, None]
    whole = bootstrap_scores(ACCURACY, counts, np.zeros(90, int), 3, 100)
    monkeypatch.setattr("benchmark.comparison.intervals._WEIGHTS", 90 * 7)
    np.testing.assert_array_equal(bootstrap_scores(ACCURACY, counts, np.zeros(90, int), 3, 100), whole)


def test_draws_without_events_are_nan_and_ignored() -> None:
    counts = np.zeros((3, 1, 3))
    counts[0, 0], counts[1, 0] = (2, 1, 1), (0, 1, 0)
    draws = bootstrap_scores(F_MEASURE, counts, np.zeros(3, int), 0, 400)[0]
    assert np.isnan(draws).any() and percentiles(draws) == (0.0, 1.0)


@pytest.mark.parametrize("hits", [0, 2])
def test_an_f_measure_that_no_draw_changes_has_no_interval(hits: int) -> None:
    counts = np.tile([hits, 1, 1], (30, 1)).astype(float)
    draws = bootstrap_scores(F_MEASURE, counts[:, None], np.zeros(30, int), 0)[0]
    assert file_interval(F_MEASURE, draws, counts) is None


def test_the_interval_over_folds_is_students() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.2])
    interval = fold_interval(scores)
    expected = stats.ttest_1samp(scores, 0).confidence_interval()
    assert interval is not None and (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert fold_interval(scores[:2]) is None and fold_spread(scores[:1]) is None
    assert fold_spread(scores) == pytest.approx(np.std(scores, ddof=1))


def test_hear_average_by_hand() -> None:
    # Two models: each is one deviation from the mean. Three tasks, one of them equal.
    np.testing.assert_allclose(hear_average(np.array([[0.9, 0.2, 0.5], [0.1, 0.4, 0.5]])), [0, 0], atol=1e-12)
    # Three models: deviations of (0, 0, 3) are −0.707, −0.707 and 1.414, which is clipped to 1.
    root = 1 / math.sqrt(2)
    scores = np.array([[0.0, 3.0], [0.0, 0.0], [3.0, 0.0]])
    np.testing.assert_allclose(hear_average(scores), [(1 - root) / 2, -root, (1 - root) / 2])
    np.testing.assert_allclose(hear_average(np.stack([scores, scores[::-1]])), [hear_average(scores)] * 2)


@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 1000), st.floats(0.1, 5), st.floats(-3, 3))
def test_hear_average_is_bounded_and_scale_free(n: int, tasks: int, seed: int, scale: float, shift: float) -> None:
    scores = np.random.default_rng(seed).uniform(size=(n, tasks))
    average = hear_average(scores)
    assert (np.abs(average) <= 1).all()
    np.testing.assert_allclose(hear_average(scale * scores + shift), average, atol=1e-6)


def test_a_row_with_few_scores_removes_no_task() -> None:
    has = np.ones((4, 6), bool)
    has[2, 1:] = False
    has[3, 5] = False
    rows, tasks = compared(has)
    assert rows.tolist() == [True, True, False, True] and tasks.tolist() == [True] * 5 + [False]
    assert not compared(np.zeros((2, 3), bool))[0].any()


def test_mcnemar_depends_on_the_files_that_differ() -> None:
    first, second = np.array([1, 1, 1, 0, 0, 1]), np.array([1, 0, 0, 1, 0, 1])
    assert mcnemar(first, second) == (2, 1, 1.0)
    assert mcnemar(first, first) == (0, 0, 1.0)
    only = np.repeat([1, 0], [18, 6])
    assert mcnemar(only, 1 - only)[2] == pytest.approx(stats.binomtest(18, 24).pvalue)


def test_exchange_test_agrees_with_mcnemar_on_accuracies() -> None:
    random = np.random.default_rng(0)
    first, second = random.uniform(size=300) < 0.75, random.uniform(size=300) < 0.66
    p = exchange_test(ACCURACY, accuracy_counts(first), accuracy_counts(second), np.zeros(300, int), 0, 5000)
    assert p == pytest.approx(mcnemar(first, second)[2], abs=0.02)


def test_exchange_test_of_an_f_measure() -> None:
    random = np.random.default_rng(1)
    found = random.poisson(5, 80)
    good = np.stack([2 * np.minimum(found, 5), np.full(80, 5), found], axis=1).astype(float)
    bad = good - np.array([2, 0, 0]) * (random.uniform(size=(80, 1)) < 0.5)
    assert exchange_test(F_MEASURE, good, np.maximum(bad, 0), np.arange(80) % 2, 0) < 0.01
    assert exchange_test(F_MEASURE, good, good, np.arange(80) % 2, 0) == 1.0


def test_p_is_uniform_without_a_difference() -> None:
    random = np.random.default_rng(2)
    zero = np.zeros(60, int)
    values = []
    for seed in range(150):
        counts = [accuracy_counts(random.uniform(size=60) < 0.5) for _ in range(2)]
        values.append(exchange_test(ACCURACY, *counts, zero, seed, 200))
    assert 0.01 <= np.mean(np.array(values) <= 0.05) <= 0.11
    assert 0.4 <= np.mean(values) <= 0.7
    # Better everywhere, by as much in either group: no advantage of a group, however large the difference.
    exchanged = [group_exchange(5 + random.normal(size=10), 5, 0) for _ in range(300)]
    assert stats.kstest(exchanged, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("inside", "outside"), [(3, 4), (4, 4), (12, 10)])
def test_an_advantage_on_top_of_a_general_difference_is_found(inside: int, outside: int) -> None:
    random = np.random.default_rng(3)
    differences = np.concatenate([np.full(inside, 10.0), np.full(outside, 5.0)]) + random.normal(
        0, 0.1, inside + outside
    )
    p = group_exchange(differences, inside, 0)
    assert p == pytest.approx(least_p(inside, outside))
    assert p < 0.06


def test_exchanged_groups_agree_with_scipy() -> None:
    random = np.random.default_rng(4)
    differences = random.normal(size=9)

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return abs(float(a.mean() - b.mean()))

    expected = stats.permutation_test((differences[:4], differences[4:]), apart, alternative="greater")
    assert group_exchange(differences, 4, 0) == pytest.approx(expected.pvalue)


def test_limits_of_the_hear_average_cover_the_truth_more_often_than_percentiles() -> None:
    random, covered, by_percentiles = np.random.default_rng(5), 0, 0
    chances, files = np.array([0.70, 0.68, 0.66, 0.55, 0.45])[:, None], np.array([560, 558, 114, 112, 60, 187])
    truth = hear_average(np.broadcast_to(chances, (5, 6)))
    for _ in range(60):
        scores = random.binomial(files, np.broadcast_to(chances, (5, 6))) / files
        drawn = hear_average(random.binomial(files, scores, size=(200, 5, 6)) / files)
        values = hear_average(scores)
        limits = [basic_bootstrap_limits(values[row], drawn[:, row], -1, 1) for row in range(5)]
        assert all(-1 <= low <= value <= high <= 1 for value, (low, high) in zip(values, limits))
        covered += sum(low <= true <= high for true, (low, high) in zip(truth, limits))
        own = [percentiles(drawn[:, row]) for row in range(5)]
        by_percentiles += sum(low <= true <= high for true, (low, high) in zip(truth, own))
    # Clipping makes them approximate; without mirroring, the best row's hold the truth one time in four.
    assert covered / 300 > 0.83 > by_percentiles / 300


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_p_and_bonferroni_and_keeps_order(p: list[float]) -> None:
    corrected = holm(p)
    for before, after in zip(p, corrected):
        assert before <= after <= min(1, before * len(p)) + 1e-12
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def test_holm_ignores_missing_tests() -> None:
    corrected = holm([0.01, math.nan, 0.04])
    assert corrected[0] == pytest.approx(0.02) and math.isnan(corrected[1]) and corrected[2] == pytest.approx(0.04)


def test_an_error_rate_is_inverted_and_an_unknown_score_refused() -> None:
    rate = metric("segment_1s_er")
    assert rate.lower_is_better and rate.gain(1.25) == -0.25 and rate.ratio(np.array([5.0, 4.0, 0.0])) == 1.25
    assert not metric("d_prime").fraction and len(METRICS) == 10
    with pytest.raises(ValueError, match="expected one of heareval's scores"):
        metric("loss")
