"""Tests of two models on the same files."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark.comparison.metrics import metric
from benchmark.comparison.paired import exchange_test, group_exchange, holm, least_p, mcnemar
from tests.benchmark.comparison.counts import accuracy_counts

ACCURACY, F_MEASURE = metric("top1_acc"), metric("event_onset_200ms_fms")


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
    assert p == pytest.approx(mcnemar(first.astype(float), second.astype(float))[2], abs=0.02)


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
        first, second = (accuracy_counts(random.uniform(size=60) < 0.5) for _ in range(2))
        values.append(exchange_test(ACCURACY, first, second, zero, seed, 200))
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
