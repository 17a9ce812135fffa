"""The learnt metric finds the dimensions that listeners go by, and is tested on other spaces."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from benchmark.studies.listeners.likeness import by_anchor
from benchmark.studies.listeners.metric import Rated, fitted, parts_of, scaled, weighted_matrix

rng = np.random.default_rng(0)


def space(n: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of eight dimensions, of which listeners go by the first."""
    embeddings = scaled(rng.standard_normal((n, 8)))
    return embeddings, squareform(pdist(embeddings[:, :1]))


def test_weights_are_not_negative_and_find_what_counts() -> None:
    weights = fitted([Rated(*space()) for _ in range(8)])
    assert (weights >= 0).all() and weights.argmax() == 0 and weights[0] > 3 * weights[1:].max()
    embeddings, listeners = space()
    plain = by_anchor(weighted_matrix(embeddings, np.ones(8))[None], listeners)[0]
    assert by_anchor(weighted_matrix(embeddings, weights)[None], listeners)[0] > plain + 0.2


def test_equal_weights_are_the_cosine() -> None:
    embeddings = rng.standard_normal((5, 8))
    expected = 2 * squareform(pdist(embeddings, "cosine"))
    np.testing.assert_allclose(weighted_matrix(embeddings, np.ones(8)), expected, atol=1e-6)


def test_spaces_of_a_study_or_with_a_sound_in_common_are_in_one_part() -> None:
    names = ["Grey1977", "Lakatos2000_Harm", "Lakatos2000_Perc", "Saitis2020_e2", "Siedenburg2016_e3", "Vahidi2020"]
    sounds = {name: frozenset([name]) for name in names}
    sounds["Saitis2020_e2"] = frozenset(["a"])
    sounds["Siedenburg2016_e3"] = frozenset(["a", "b"])
    parts = dict(zip(names, parts_of(names, sounds)))
    assert parts["Lakatos2000_Harm"] == parts["Lakatos2000_Perc"]
    assert parts["Saitis2020_e2"] == parts["Siedenburg2016_e3"]
    assert len(set(parts.values())) == 4
