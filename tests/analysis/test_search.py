"""Scores of rows, and hits made of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from byola_hear.analysis.neighbours import directions
from byola_hear.analysis.search import EXCLUDED_WEIGHT, Hit, Space, best

RANDOM = np.random.default_rng(0)
ROWS = (RANDOM.normal(size=(200, 30)) * np.exp(RANDOM.normal(size=30)) + 5).astype(np.float32)


def cosines(rows: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    rows, others = rows.astype(np.float64), others.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(others, axis=1)
    return rows @ others.T / norms


def test_scores_are_mean_cosines_less_a_part_of_those_with_the_excluded() -> None:
    expected = cosines(ROWS, ROWS[:2]).mean(1) - EXCLUDED_WEIGHT * cosines(ROWS, ROWS[2:5]).mean(1)
    space = Space()
    assert space.scores(ROWS, space.direction(ROWS[:2], ROWS[2:5])) == pytest.approx(expected, abs=1e-5)
    assert space.scores(ROWS, space.direction(ROWS[:1]))[0] == pytest.approx(1, abs=1e-6)


def test_the_standardised_cosine_is_that_of_the_map() -> None:
    units = directions(ROWS).numpy()
    space = Space.fitted(ROWS)
    for row in (0, 7):
        assert space.scores(ROWS, space.direction(ROWS[row : row + 1])) == pytest.approx(units @ units[row], abs=1e-4)


def test_rows_of_zeros_and_of_what_is_not_finite() -> None:
    rows = np.stack([np.zeros(30), np.full(30, np.nan), np.full(30, np.inf), np.full(30, 1e30), ROWS[0]])
    rows = rows.astype(np.float32)
    rows[2, 1:] = 0
    scores = Space().scores(rows, Space().direction(ROWS[:1]))
    assert scores[0] == 0 and np.isnan(scores[1:3]).all() and scores[4] == pytest.approx(1, abs=1e-6)


segments = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=30
)


@given(rows=segments, count=st.integers(1, 8))
def test_hits_are_the_best_rows_merged(rows: list[tuple[int, int, int, int]], count: int) -> None:
    scores = np.array([row[0] / 10 for row in rows], np.float32)
    files = np.array([row[1] for row in rows])
    starts = np.array([float(row[2]) for row in rows])
    ends = starts + np.array([row[3] for row in rows])
    order = np.argsort(-scores, kind="stable")
    # The slow way: of more and more of the best rows, those that touch are joined until there are enough hits, or most.
    most: list[set[int]] = []
    for taken in range(1, len(rows) + 1):
        groups: list[set[int]] = []
        for row in map(int, order[:taken]):
            touching = [
                group
                for group in groups
                if any(
                    files[other] == files[row] and starts[other] <= ends[row] and ends[other] >= starts[row]
                    for other in group
                )
            ]
            groups = [group for group in groups if group not in touching] + [{row}.union(*touching)]
        if len(groups) > len(most):
            most = groups
        if len(groups) == count:
            break
    groups = most
    rank = {row: place for place, row in enumerate(order.tolist())}
    groups.sort(key=lambda group: min(rank[row] for row in group))
    expected = [
        Hit(
            int(files[next(iter(group))]),
            min(starts[row] for row in group),
            max(ends[row] for row in group),
            float(max(scores[row] for row in group)),
            len(group),
        )
        for group in groups
    ]
    assert best(scores, files, starts, ends, count) == expected


def test_more_hits_than_there_are_leave_the_others_as_they_are() -> None:
    # Every other window of a recording, then those between them, which join all to one.
    scores = np.array([0.9, 0.1, 0.8, 0.1, 0.7, 0.1], np.float32)
    times = np.arange(6.0)
    expected = [Hit(0, float(start), start + 1.0, float(scores[start]), 1) for start in (0, 2, 4)]
    for count in (3, 4, 20):
        assert best(scores, np.zeros(6, int), times, times + 1, count) == expected


@given(scores=st.lists(st.integers(0, 5), min_size=1, max_size=3000), count=st.integers(1, 40))
def test_hits_without_merging_are_the_best_rows_in_order(scores: list[int], count: int) -> None:
    values = np.array(scores, np.float32)
    times = np.arange(len(scores), dtype=np.float64)
    hits = best(values, np.zeros(len(scores), int), times, times + 1, count, merge=False)
    assert [hit.start for hit in hits] == np.argsort(-values, kind="stable")[:count].tolist()
