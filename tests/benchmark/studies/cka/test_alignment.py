"""Unbiased linear CKA."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.studies.cka.alignment import cka, cka_interval, gram


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_a_rotated_scaled_and_shifted_copy_is_the_same(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((20, 6))
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    assert cka(gram(first), gram(scale * first @ rotation + 3)) == pytest.approx(1, abs=1e-6)


def test_the_cka_of_independent_noise_is_0_for_any_number_of_features() -> None:
    rng = np.random.default_rng(0)
    values = [cka(gram(rng.standard_normal((40, 500))), gram(rng.standard_normal((40, 500)))) for _ in range(40)]
    assert abs(np.mean(values)) < 0.05
    # Which the plain form does not manage.
    first, second = gram(rng.standard_normal((40, 500))), gram(rng.standard_normal((40, 500)))
    assert np.sum(first * second) / np.linalg.norm(first) / np.linalg.norm(second) > 0.5


def test_the_interval_contains_the_true_value() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((200, 10))
    first, second = (np.hstack([shared, rng.standard_normal((200, 10))]) for _ in range(2))
    value, low, high = cka_interval(gram(first), gram(second))
    assert low < value < high and low < 0.5 < high
    assert np.isnan(cka_interval(gram(first[:30]), gram(second[:30]))[1])
    with pytest.raises(ValueError, match="at least four clips"):
        gram(first[:3])
    with pytest.raises(ValueError, match="finite"):
        gram(np.full((5, 2), np.nan))
