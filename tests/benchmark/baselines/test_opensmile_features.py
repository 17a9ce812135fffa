"""openSMILE's features against its package."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmark.baselines.available import available, noise


@pytest.mark.parametrize(
    ("name", "feature_set", "sizes"),
    [("opensmile_egemaps", "eGeMAPSv02", (88, 25)), ("opensmile_compare", "ComParE_2016", (6373, 65))],
)
def test_opensmile_is_its_packages(name: str, feature_set: str, sizes: tuple[int, int]) -> None:
    opensmile = pytest.importorskip("opensmile")
    model = available(name)
    assert (model.scene_embedding_size, model.timestamp_embedding_size) == sizes
    clip = noise(8000)
    smile = opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel.Functionals)
    np.testing.assert_array_equal(model.scene(clip), smile.process_signal(clip.numpy(), 16000).to_numpy()[0])
