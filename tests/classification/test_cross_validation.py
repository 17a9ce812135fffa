"""Folds that split no group, and the strength that they choose."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear.classification import cross_validation
from byola_hear.classification.classifier import Network
from byola_hear.classification.cross_validation import DEFAULT_STRENGTH, folds, held_out
from byola_hear.classification.fitting import STRENGTHS
from byola_hear.classification.training import Trained, learn
from tests.classification.made import examples

NETWORK = Network("both", "both 1.5", "ab" * 32, 60)


def test_folds_split_no_group_and_hold_out_each_example_once() -> None:
    made = examples(n_groups=12)
    fold_of = folds(made, seed=0)
    assert sorted(set(fold_of)) == [0, 1, 2, 3, 4]
    for group in set(made.group):
        assert len(set(fold_of[made.group == group])) == 1
    scores, strength = held_out(made, fold_of)
    assert scores.shape == made.truth.shape and not np.isnan(scores).any() and strength in STRENGTHS


def test_without_folds_there_is_nothing_to_choose_by() -> None:
    made = examples(n_groups=1)
    fold_of = folds(made, seed=0)
    assert not fold_of.any()
    scores, strength = held_out(made, fold_of)
    assert np.isnan(scores).all() and strength == DEFAULT_STRENGTH


def mean_precision(trained: Trained) -> float:
    return float(np.mean([values.average_precision for values in trained.measures if values is not None]))


# The log loss would choose 0.1 where 0.001 is best, and 0.01 or 0.1 where 1 is best.
@pytest.mark.parametrize(("n_groups", "noise", "seed"), [(6, 1.0, 0), (12, 2.0, 2)])
def test_the_strength_is_that_which_finds_most(
    n_groups: int, noise: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = examples(n_groups=n_groups, size=60, seed=seed)
    embeddings = made.embeddings + noise * np.random.default_rng(seed).normal(size=made.embeddings.shape)
    made = examples(**{**vars(made), "embeddings": embeddings.astype(np.float32)})
    chosen = learn(made, NETWORK)
    single = {}
    for strength in STRENGTHS:
        monkeypatch.setattr(cross_validation, "STRENGTHS", (strength,))
        single[strength] = mean_precision(learn(made, NETWORK))
    # A fit that begins where that of the strength before ended is a little different.
    assert mean_precision(chosen) == pytest.approx(max(single.values()), abs=0.005)
    assert chosen.strength == max(single, key=single.__getitem__)
