"""Folds that split no group, and the strength that they choose."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear.classification import cross_validation
from byola_hear.classification.classifier import Network
from byola_hear.classification.cross_validation import DEFAULT_STRENGTH, folds, held_out
from byola_hear.classification.examples import Examples
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


def few(rows: list[tuple[int, str]]) -> Examples:
    """Examples of a recording and its classes, by their first letters, each."""
    names = sorted({name for _, letters in rows for name in letters})
    rng = np.random.default_rng(0)
    return examples(
        embeddings=rng.normal(size=(len(rows), NETWORK.size)).astype(np.float32),
        file=np.array([f"{number}.wav" for number, _ in rows], dtype=object),
        start=np.arange(len(rows), dtype=float),
        end=np.arange(len(rows), dtype=float) + 1,
        truth=np.array([[name in letters for name in names] for _, letters in rows]),
        classes=tuple(names),
        group=np.array([number for number, _ in rows]),
    )


def test_few_labels_of_several_classes_at_a_time_can_be_learned_from() -> None:
    # No class is the rarest in as many examples as there are recordings with it.
    trained = learn(few([(0, "or"), (0, "r"), (0, "r"), (1, "o"), (2, "o"), (3, "o"), (4, "o")]), NETWORK)
    assert trained.n_folds == 4 and trained.classifier.about["examples_of"] == {"o": 5, "r": 3}
    trained = learn(few([(0, "or"), (1, "o"), (2, "f")]), NETWORK)
    assert (trained.classifier.method, trained.n_folds) == ("cosine", 0)
    assert not folds(few([(0, "or"), (1, "o"), (2, "f")]), seed=0).any()


def mean_precision(trained: Trained) -> float:
    return float(np.mean([values.average_precision for values in trained.measures if values is not None]))


# The log loss would choose another strength, also with the folds that scikit-learn 1.6 draws.
@pytest.mark.parametrize(("n_groups", "noise", "seed"), [(6, 1.0, 6), (12, 2.0, 2)])
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
