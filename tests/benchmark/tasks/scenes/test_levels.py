"""Levels and active stretches, with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.tasks.scenes import levels
from tests.benchmark.tasks.made_sets import RATE, noise


def test_levels() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    assert levels.level(sine) == pytest.approx(-3.01, abs=0.01)
    assert levels.level(0.1 * sine) == pytest.approx(-23.01, abs=0.01)
    assert levels.level(np.zeros(5)) == levels.level(np.zeros(0)) == levels.SILENCE_DB
    half = np.concatenate([0.1 * sine, 0 * sine])
    assert levels.level(half) == pytest.approx(-26.02, abs=0.01)
    assert levels.active_level(half) == pytest.approx(-23.01, abs=0.01)
    with pytest.raises(ValueError, match="at least 160 samples"):
        levels.active_level(np.zeros(159))


def test_the_main_run_is_found_in_noise_and_clicks_beside_it_are_not() -> None:
    clip = noise(3 * RATE, -60)
    clip[RATE : 2 * RATE] += noise(RATE, -20, 1)
    clip[RATE - 3000 : RATE - 2990] += 0.5
    found = levels.active_run(clip, range_db=30, least_seconds=0.05)
    assert found == (RATE, 2 * RATE)
    assert levels.active_run(clip, range_db=30)[0] < RATE - 2990


def test_pauses_are_bridged_up_to_their_limit() -> None:
    clip = np.zeros(3 * RATE, np.float32)
    clip[1600:4800] = noise(3200, -20)
    clip[8000:16000] = noise(8000, -20)  # 0.2 s later
    assert levels.active_run(clip, bridge_seconds=0.2) == (1600, 16000)
    assert levels.active_run(clip, bridge_seconds=0.19) == (8000, 16000)
    assert levels.active_run(np.zeros(RATE)) == (0, 0)


def test_a_scene_is_as_loud_as_asked_and_never_clipped() -> None:
    assert levels.active_level(levels.delivered(noise(RATE, -3), -30)) == pytest.approx(-30, abs=0.01)
    spiky = np.zeros(RATE, np.float32)
    spiky[::800] = 1
    assert np.abs(levels.delivered(spiky, 0)).max() == pytest.approx(levels.PEAK)
    assert not levels.delivered(np.zeros(RATE, np.float32), -20).any()
