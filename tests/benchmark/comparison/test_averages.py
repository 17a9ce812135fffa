"""HEAR's average."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmark.comparison.averages import compared, hear_average


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
