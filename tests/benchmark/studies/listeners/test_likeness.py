"""Measures of agreement with listeners."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.studies.listeners.ceiling import corrected, one_against_rest, split_half
from benchmark.studies.listeners.likeness import averaged, by_anchor, over_pairs

rng = np.random.default_rng(0)


def matrix(n: int = 12) -> np.ndarray:
    half = np.triu(rng.random((n, n)), 1)
    return half + half.T


def test_by_anchor_is_the_mean_of_each_rows_correlation() -> None:
    model, listeners = matrix(), matrix()
    rows = [spearmanr(np.delete(model[i], i), np.delete(listeners[i], i))[0] for i in range(12)]
    assert by_anchor(model[None], listeners)[0] == pytest.approx(np.mean(rows))


def test_over_pairs_is_spearmans_correlation_and_the_partial_one() -> None:
    model, listeners, held = matrix(), matrix(), matrix()
    pairs = np.triu_indices(12, 1)
    assert over_pairs(model[None], listeners)[0] == pytest.approx(spearmanr(model[pairs], listeners[pairs])[0])
    r = spearmanr(np.stack([model[pairs], listeners[pairs], held[pairs]], 1))[0]
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert over_pairs(model[None], listeners, held=[held])[0] == pytest.approx(expected)


def test_what_a_descriptor_explains_is_not_left() -> None:
    held = matrix()
    assert abs(over_pairs(held[None] ** 2, held, held=[held])[0]) < 1e-6


def test_sounds_without_a_descriptor_are_left_out_or_the_descriptor_is() -> None:
    model, listeners, held = matrix(), matrix(), matrix()
    few, many = held.copy(), held.copy()
    few[0] = few[:, 0] = np.nan
    many[:7] = many[:, :7] = np.nan
    inside = np.arange(1, 12)
    assert over_pairs(model[None], listeners, held=[few])[0] == pytest.approx(
        over_pairs(model[None], listeners, inside, [held])[0]
    )
    assert over_pairs(model[None], listeners, held=[many])[0] == pytest.approx(over_pairs(model[None], listeners)[0])


def test_a_bootstrap_compares_no_sound_with_itself() -> None:
    model = matrix(6)
    sample = np.array([0, 0, 1, 2, 3, 4])
    assert by_anchor(model[None], model, sample)[0] == pytest.approx(1)
    assert np.isnan(by_anchor(model[None], model, np.array([0, 0, 1, 1, 2, 2]))[0])


def test_spaces_count_by_their_sounds() -> None:
    values = np.array([[0.2], [0.5], [np.nan]])
    assert averaged(values, np.array([10, 20, 5]))[0] == pytest.approx(0.4)


def test_ceilings_of_equal_and_of_unrelated_listeners() -> None:
    same = np.stack([matrix(20)] * 6)
    assert split_half(same, over_pairs, 3, 0) == pytest.approx(1) == one_against_rest(same, by_anchor)
    apart = np.stack([matrix(20) for _ in range(6)])
    assert abs(split_half(apart, over_pairs, 20, 0)) < 0.3
    noisy = same + 0.5 * apart
    assert one_against_rest(noisy, over_pairs) < split_half(noisy, over_pairs, 20, 0)
    assert corrected(split_half(noisy, over_pairs, 20, 0)) > split_half(noisy, over_pairs, 20, 0)
