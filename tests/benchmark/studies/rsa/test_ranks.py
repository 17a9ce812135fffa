"""Rank correlations."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.rdm.compare import compare

from benchmark.studies.rsa.dissimilarity import (
    descriptor_matrix,
    rdms,
)
from benchmark.studies.rsa.ranks import rank_correlations

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


def matrices(count: int, n: int = 40) -> list[np.ndarray]:
    return [descriptor_matrix(each[:, None]) for each in np.random.default_rng(1).standard_normal((count, n))]


def test_rank_correlation_is_rsatoolboxes() -> None:
    several = matrices(5)
    upper = np.triu_indices(40, 1)
    vectors = np.stack([matrix[upper] for matrix in several])
    expected = compare(rdms(several[:2], "ab"), rdms(several[2:], "abc"), "spearman")
    np.testing.assert_allclose(rank_correlations(vectors[:2], vectors[2:]), expected, atol=1e-10)
