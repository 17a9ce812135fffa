"""Measures of models on a set of rated sounds, with intervals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tqdm import tqdm

from benchmark.datasets.rated_set import Space
from benchmark.studies.listeners.measure import CLIP, Key, descriptor_embeddings, measured


def test_an_interval_over_sounds_lies_around_its_value() -> None:
    rng = np.random.default_rng(0)
    n = 20
    points = rng.normal(size=(n, 2))
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    noise = np.abs(rng.normal(0, 0.2, (n, n)))
    space = Space("space", np.arange(n), apart, None)
    rated: Any = SimpleNamespace(spaces=[space], sounds=SimpleNamespace(name="set"))
    matrices = {Key(name, CLIP): [(apart + scale * (noise + noise.T))[None]] for name, scale in (("a", 4), ("mfcc", 8))}
    found = measured(rated, matrices, [[]], 200, 0, tqdm(disable=True))
    values = found[(found["reference"] == "") & (found["measure"] == "anchor")]
    differences = found[(found["reference"] == "mfcc clip") & (found["measure"] == "anchor")]
    assert len(values) == 2 and len(differences) == 1
    assert ((values["low"] < values["value"]) & (values["value"] < values["high"]) & (values["high"] <= 1)).all()
    # Samples in which sounds repeat have smaller correlations: their percentiles lie lower than the value.
    assert ((values["low"] + values["high"]) / 2 > values["value"]).all()
    assert ((differences["low"] < differences["value"]) & (differences["value"] < differences["high"])).all()


def test_a_descriptor_that_all_sounds_share_says_nothing_and_does_not_warn(recwarn: pytest.WarningsRecorder) -> None:
    described = [{"duration": [1.0], "level": [level], "pitch": [np.nan], "centroid": [0.0]} for level in (1.0, 3.0)]
    described[0]["pitch"] = [60.0]
    assert descriptor_embeddings(described).tolist() == [[0, -1, 0, 0], [0, 1, 0, 0]]
    assert not recwarn.list
