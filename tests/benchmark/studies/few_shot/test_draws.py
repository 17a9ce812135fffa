"""Draws of training clips and the accuracies of probes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.probes.splits import Fold
from benchmark.studies.few_shot.draws import COUNTS, PROBES, curve, few, predict

LABELS = np.repeat(list("abcd"), 100)


EVEN, ODD = np.arange(0, 400, 2), np.arange(1, 400, 2)


def accuracies(features: np.ndarray) -> pd.DataFrame:
    folds = [Fold("one", EVEN, EVEN[:9], ODD), Fold("other", ODD, ODD[:9], EVEN)]
    groups = np.arange(400).astype(str)
    return pd.DataFrame(curve(features, LABELS, groups, folds, "made", 6, 200, 0))


def test_separated_blobs_need_one_label_a_class() -> None:
    rng = np.random.default_rng(0)
    centres = 30 * rng.standard_normal((4, 50))
    features = (np.repeat(centres, 100, axis=0) + rng.standard_normal((400, 50))).astype(np.float32)
    found = accuracies(features)
    assert 8 in COUNTS  # MAEB's protocol
    assert set(found["count"]) == set(COUNTS) and set(found["probe"]) == set(PROBES)
    assert (found["accuracy"] == 100).all()


def test_noise_stays_at_chance() -> None:
    found = accuracies(np.random.default_rng(0).standard_normal((400, 50)).astype(np.float32))
    means = found.groupby(["probe", "count"])["accuracy"].mean()
    assert means.between(19, 31).all()


def test_more_labels_help_where_classes_overlap() -> None:
    rng = np.random.default_rng(0)
    features = (np.repeat(rng.standard_normal((4, 50)), 100, axis=0) * 0.6 + rng.standard_normal((400, 50))).astype(
        "f4"
    )
    means = accuracies(features).groupby(["probe", "count"])["accuracy"].mean()
    for probe in PROBES:
        assert means[probe, 1] + 10 < means[probe, 20]


def test_raw_probes_depend_on_the_units_of_features_and_the_others_do_not() -> None:
    rng = np.random.default_rng(0)
    features = (np.repeat(rng.standard_normal((4, 50)), 100, axis=0) + rng.standard_normal((400, 50))).astype("f4")
    units = np.ones(50, np.float32)
    units[25:] = 1000
    first, other = (
        accuracies(each).set_index(["probe", "count", "draw"])["accuracy"] for each in (features, features * units)
    )
    changed = (first - other).abs().groupby("probe").max()
    assert (changed[["centroid", "ridge"]] < 1).all() and (changed[["centroid, raw", "ridge, raw"]] > 3).all()


def test_draws_are_of_every_class_and_of_as_many_groups_as_possible() -> None:
    groups = np.array([f"speaker{index % 7}" for index in range(400)])
    drawn = few(LABELS, groups, EVEN, 5, np.random.default_rng(0))
    assert np.isin(drawn, EVEN).all() and len(set(drawn.tolist())) == 20
    for label in "abcd":
        assert len(set(groups[drawn[LABELS[drawn] == label]])) == 5
    assert few(LABELS, groups, EVEN, 5, np.random.default_rng(0)).tolist() == drawn.tolist()
    assert not len(few(LABELS, groups, EVEN[:60], 20, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="got 'forest'"):
        predict(np.zeros((4, 2), np.float32), LABELS[:4], np.arange(2), np.arange(2), "forest")
