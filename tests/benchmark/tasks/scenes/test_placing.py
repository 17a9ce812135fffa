"""Places and draws keep to what is asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.tasks.scenes import placing
from tests.benchmark.tasks.made_sets import RATE


@given(st.lists(st.integers(1, 3000), max_size=5), st.integers(0, 200), st.integers(0, 500), st.integers(0, 99))
def test_spread_keeps_order_and_distance(lengths: list[int], gap: int, edge: int, seed: int) -> None:
    starts = placing.spread(lengths, RATE + 1000, gap, np.random.default_rng(seed), edge)
    ends = [start + length for start, length in zip(starts, lengths)]
    assert all(start - end >= gap for start, end in zip(starts[1:], ends))
    assert all(edge <= start and end <= RATE + 1000 - edge for start, end in zip(starts, ends))


def test_spread_fills_what_is_just_full_and_says_what_is_too_much() -> None:
    assert placing.spread([400, 500], 1000, 100, np.random.default_rng(0)) == [0, 500]
    with pytest.raises(ValueError, match="1 are missing"):
        placing.spread([400, 501], 1000, 100, np.random.default_rng(0))


@given(st.lists(st.tuples(st.integers(1, 1500), st.sampled_from("ab")), max_size=8), st.integers(0, 99))
def test_scatter_keeps_to_the_polyphony(stretches: list[tuple[int, str]], seed: int) -> None:
    lengths, labels = [length for length, _ in stretches], [label for _, label in stretches]
    starts = placing.scatter(lengths, labels, 4 * RATE, 2, 300, np.random.default_rng(seed))
    sounding = np.zeros((2, 4 * RATE + 300), int)
    alone = np.zeros(4 * RATE, int)
    for start, length, label in zip(starts, lengths, labels):
        sounding["ab".index(label), start : start + length + 300] += 1
        alone[start : start + length] += 1
        assert start + length <= 4 * RATE
    assert sounding.max(initial=0) <= 1
    assert alone.max(initial=0) <= 2


def test_scatter_says_when_there_is_no_room() -> None:
    for lengths in ([1001], [900, 900, 900]):
        with pytest.raises(ValueError, match="expected room"):
            placing.scatter(lengths, list("abc")[: len(lengths)], 1000, 2, 0, np.random.default_rng(0))


@given(st.integers(1, 20), st.integers(0, 50), st.integers(0, 99))
def test_cards_are_drawn_equally_often(n_cards: int, n_drawn: int, seed: int) -> None:
    counts = np.bincount(placing.deck(n_cards, n_drawn, np.random.default_rng(seed)), minlength=n_cards)
    assert counts.sum() == n_drawn
    assert counts.max() - counts.min() <= 1
