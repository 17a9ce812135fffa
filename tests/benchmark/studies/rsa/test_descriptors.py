"""Acoustic descriptors."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.studies.rsa.descriptors import DESCRIPTORS, describe
from tests.benchmark.made_sets import RATE

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


rng = np.random.default_rng(0)


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_descriptors_of_sounds_that_are_known() -> None:
    low, high, quiet = describe(tone(220), RATE), describe(tone(880), RATE), describe(tone(220, amplitude=0.05), RATE)
    assert high["pitch"][0] - low["pitch"][0] == pytest.approx(2, abs=0.02)
    assert high["centroid"][0] - low["centroid"][0] == pytest.approx(2, abs=0.1)
    assert low["level"][0] - quiet["level"][0] == pytest.approx(20, abs=0.01)
    noise = (0.1 * rng.standard_normal(RATE)).astype(np.float32)
    assert low["harmonicity"][0] > 0.99 > 0.5 > describe(noise, RATE)["harmonicity"][0]
    assert describe(noise, RATE)["spread"][0] > low["spread"][0] + 2
    slow = tone(440) * np.minimum(1, np.arange(RATE) / (0.5 * RATE)).astype(np.float32)
    assert describe(slow, RATE)["attack time"][0] == pytest.approx(np.log2(0.35), abs=0.1)
    assert describe(tone(440, 2.0), RATE)["duration"] == [1.0]
    trembling = tone(440) * (1 + 0.9 * np.sin(2 * np.pi * 8 * np.arange(RATE) / RATE)).astype(np.float32) / 2
    assert int(np.argmax(describe(trembling, RATE)["modulation"])) == 3


@pytest.mark.parametrize("clip", [np.zeros(1, np.float32), np.zeros(RATE, np.float32), tone(100, 0.01)])
def test_a_clip_however_short_or_silent_has_descriptors(clip: np.ndarray) -> None:
    described = describe(clip, RATE)
    assert list(described) == list(DESCRIPTORS)
    undefined = {name for name, values in described.items() if not np.isfinite(values).all()}
    assert undefined <= {"pitch", "pitch variability"}
