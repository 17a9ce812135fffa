"""Dissimilarity matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.studies.rsa.dissimilarity import (
    category_matrix,
    embedding_matrix,
)

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


@given(st.integers(4, 12), st.sampled_from(["correlation", "cosine", "euclidean"]), st.integers(0, 99))
def test_matrices_are_symmetric_and_zero_on_the_diagonal(n: int, distance: str, seed: int) -> None:
    matrix = embedding_matrix(np.random.default_rng(seed).standard_normal((n, 5)), distance)
    assert matrix.shape == (n, n) and not matrix.diagonal().any() and (matrix == matrix.T).all() and (matrix >= 0).all()


def test_matrices_of_unusable_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN or infinity in those of 1 of 4"):
        embedding_matrix(np.array([[1.0], [2], [3], [np.nan]]), "euclidean")
    with pytest.raises(ValueError, match="correlation distance is undefined"):
        embedding_matrix(np.ones((4, 3)), "correlation")
    with pytest.raises(ValueError, match="got 'manhattan'"):
        embedding_matrix(np.ones((4, 3)), "manhattan")
    assert category_matrix(np.array(["a", "a", "b"])).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
