"""Epochs are chosen by other folds, and a difference counts only beyond chance."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear.finetuning.choice import chosen_epochs, compared


def test_a_fold_does_not_choose_its_own_epochs() -> None:
    losses = [[1.0, 0.9, 0.1], [1.0, 0.5, 0.8], [1.0, 0.5, 0.8]]
    chosen, best = chosen_epochs(losses, [10, 10, 10])
    assert chosen == [1, 2, 2] and best == 2
    # A fold that stopped keeps its last loss.
    assert chosen_epochs([[1.0, 0.9], [1.0, 0.95, 0.7]], [1, 1]) == ([2, 1], 2)
    assert chosen_epochs([[1.0, 2.0], [1.0, 3.0]], [1, 1]) == ([0, 0], 0)


def scores(quality: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.eye(3, dtype=bool)[np.arange(90) % 3]
    rng = np.random.default_rng(seed)
    return truth, 1 / (1 + np.exp(-(quality * (2 * truth - 1) + rng.normal(0, 1, truth.shape))))


def test_a_clear_difference_counts_and_chance_does_not() -> None:
    truth, poor = scores(0.3, 0)
    _, good = scores(2.0, 1)
    _, other = scores(0.3, 2)
    groups = np.arange(90) // 3
    better = compared(poor, good, truth, groups, 3)
    assert better.better and better.low > 0.1 and better.tuned > 0.9
    assert better.line().startswith("fine-tuning beat the frozen network: mean average precision 0.9")
    assert "on the same 3 held-out folds, difference +0." in better.line()
    worse = compared(good, poor, truth, groups, 3)
    assert not worse.better and "made it worse, so the frozen network is kept" in worse.line()
    chance = compared(poor, other, truth, groups, 3)
    assert not chance.better and chance.low < 0 < chance.high
    assert "did not beat the frozen network, which is kept" in chance.line()
    assert not compared(good, good, truth, groups, 3).better


def test_groups_that_are_few_make_the_interval_wide() -> None:
    truth, poor = scores(0.3, 0)
    _, good = scores(1.0, 1)
    many, few = (compared(poor, good, truth, np.arange(90) // size, 3) for size in (1, 30))
    assert many.high - many.low > 0 and few.tuned == many.tuned


def test_classes_without_scores_are_left_out() -> None:
    truth, poor = scores(0.3, 0)
    _, good = scores(2.0, 1)
    gaps = good.copy()
    gaps[:, 2] = np.nan
    assert compared(poor, gaps, truth, np.arange(90), 3).tuned == pytest.approx(
        compared(poor[:, :2], good[:, :2], truth[:, :2], np.arange(90), 3).tuned
    )
    with pytest.raises(ValueError, match="expected a class with recordings in two folds"):
        compared(poor, np.full_like(good, np.nan), truth, np.arange(90), 3)


def test_draws_without_a_class_are_left_out() -> None:
    # One class in two of four recordings: an eighth of the draws have no recording with it, or no other.
    truth = np.array([[True], [True], [False], [False]])
    good, poor = np.array([[0.9], [0.8], [0.2], [0.1]]), np.array([[0.1], [0.2], [0.8], [0.9]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = compared(poor, good, truth, np.arange(4), 2)
    assert 0 <= comparison.low <= comparison.high < 1
    assert "nan" not in comparison.line()
