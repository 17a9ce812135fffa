"""Levels of clips."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.studies.regression.level import scaled
from benchmark.tasks.scenes import levels


@pytest.mark.parametrize("wanted", [-60.0, -30.0])
def test_a_clip_gets_its_level(wanted: float) -> None:
    clip = np.sin(np.arange(16000) / 20).astype(np.float32) * 0.2
    assert levels.level(scaled(clip, wanted)) == pytest.approx(wanted, abs=1e-3)
    assert np.abs(scaled(clip, 20.0)).max() <= levels.PEAK + 1e-6
