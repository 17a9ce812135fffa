"""The transfer matrix."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.studies.transfer.conditions import find_transfers
from benchmark.studies.transfer.matrix import Condition, balanced_accuracy, folds_of, transfer_matrix


def condition(seed: int, turned: bool = False) -> Condition:
    """Two classes that lie apart along the first axis, the other way round where turned."""
    rng = np.random.default_rng(seed)
    labels = np.array(list("ab") * 40)
    features = rng.standard_normal((80, 5)).astype(np.float32)
    features[:, 0] += (60 * (labels == "a") - 30) * (-1 if turned else 1)
    return Condition(features, labels, np.array([f"{seed}-{index // 2}" for index in range(80)]))


def matrix_of(**conditions: Condition) -> dict[tuple[str, str], float]:
    return {(row["trained"], row["tested"]): row["value"] for row in transfer_matrix(conditions, 0, draws=20)}


def test_shared_features_carry_over_and_a_planted_rotation_does_not() -> None:
    found = matrix_of(one=condition(0), same=condition(1), turned=condition(2, turned=True))
    alike = [("one", "one"), ("same", "same"), ("turned", "turned"), ("one", "same"), ("same", "one")]
    assert min(found[pair] for pair in alike) > 95
    assert max(found["one", "turned"], found["turned", "same"]) < 5


def test_noise_is_at_chance_and_within_its_interval() -> None:
    noise = Condition(np.roll(condition(0).features, 1, 0) * [0, 1, 1, 1, 1], condition(0).labels, condition(0).groups)
    row = transfer_matrix({"noise": noise, "other": condition(1)}, 0)[0]
    assert row["chance"] == 50 and row["low"] < 50 < row["high"] and row["clips"] == 80


def test_a_group_is_never_both_trained_and_tested_on() -> None:
    # A feature that names the group: a probe that saw the group elsewhere would know the label.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 2)
    labels = rng.permutation(np.repeat(list("ab"), 20))[groups]
    features = (np.eye(40, dtype=np.float32) * 10)[groups]
    both = Condition(features, labels, groups.astype(str))
    found = matrix_of(first=both, second=both)
    assert max(found.values()) < 75
    apart = Condition(features, labels, np.array([f"x{group}" for group in range(80)]))
    assert min(matrix_of(first=apart, second=apart).values()) > 75


def test_pairs_that_are_not_wanted_are_left_out() -> None:
    found = transfer_matrix({"a": condition(0), "b": condition(1)}, 0, lambda trained, tested: False, 10)
    assert [(row["trained"], row["tested"]) for row in found] == [("a", "a"), ("b", "b")]


def test_conditions_that_cannot_be_compared_are_refused() -> None:
    other = Condition(condition(1).features, np.array(list("xy") * 40), condition(1).groups)
    with pytest.raises(ValueError, match="at least two labels that all conditions have"):
        transfer_matrix({"a": condition(0), "b": other}, 0)
    with pytest.raises(ValueError, match="at least 4 groups to split between, found 2"):
        folds_of(np.array(list("abab")), np.array(list("xxyy")), 0)
    with pytest.raises(ValueError, match="got 'accents'"):
        find_transfers("accents")
    assert balanced_accuracy(np.array([True, False]), np.array(["a", "b"]), np.array([1.0, 0.0])) == 100
