"""Matching of onsets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmark.studies.onsets.matching import count_pairs, delays

times = st.lists(st.integers(0, 60), max_size=12, unique=True).map(lambda each: np.sort(np.array(each, dtype=float)))


@given(times, times, st.integers(0, 12))
def test_the_largest_number_of_onsets_is_matched(reference: np.ndarray, found: np.ndarray, tolerance: int) -> None:
    late = delays(reference, found, tolerance)
    assert (np.abs(late) <= tolerance).all()
    assert len(late) == count_pairs(reference, found, tolerance)
    if len(reference) and len(found):
        near = csr_matrix(np.abs(reference[:, None] - found[None]) <= tolerance)
        assert len(late) == (maximum_bipartite_matching(near) >= 0).sum()
    else:
        assert not len(late)


def test_onsets_are_matched_with_the_nearest() -> None:
    # Taken from the left, both would be 150 ms early.
    assert delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0, 1150.0]), 200.0).tolist() == [0, 0]
    # But two pairs are better than one that is exact.
    assert delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0]), 200.0).tolist() == [-150, -150]
