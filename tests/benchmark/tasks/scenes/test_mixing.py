"""Ratios, fades and seams, with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.tasks.scenes import levels, mixing
from tests.benchmark.tasks.made_sets import RATE, noise


def test_fades_touch_the_ends_alone() -> None:
    faded = mixing.faded(np.ones(RATE), 0.01, 0.02)
    assert 0 < faded[0] < 0.01 and 0 < faded[-1] < 0.01
    assert (np.diff(faded[:160]) > 0).all() and (np.diff(faded[-320:]) < 0).all()
    assert (faded[160:-320] == 1).all()
    assert len(mixing.faded(np.ones(3), 1.0, 1.0)) == 3


def test_a_seam_neither_clicks_nor_loses_power() -> None:
    joined = mixing.crossfaded([noise(RATE, -20, seed) for seed in range(3)], 0.25)
    assert len(joined) == 3 * RATE - 2 * 4000
    assert levels.level(joined[RATE - 4000 : RATE]) == pytest.approx(-20, abs=0.5)
    steady = mixing.crossfaded([np.full(RATE, 0.5), np.full(RATE, -0.5)], 0.25)
    assert np.abs(np.diff(steady)).max() < 1e-3
    with pytest.raises(ValueError, match="at least 8000 samples"):
        mixing.crossfaded([np.ones(RATE), np.ones(7999)], 0.25)


@given(st.integers(-10, 30), st.floats(-60, -10), st.floats(-60, -10))
def test_the_ratio_is_the_one_asked_for(ratio: int, clip_db: float, clips_db: float) -> None:
    random = np.random.default_rng(0)
    ground = mixing.background([noise(RATE, clips_db, seed) for seed in range(3)], 2 * RATE, random)
    scene = mixing.mixed(ground, [(8000, noise(4000, clip_db, 9))], ratio)
    rest = scene - ground
    assert levels.level(rest[8000:12000]) - levels.active_level(ground) == pytest.approx(ratio, abs=0.1)
    assert not rest[:8000].any() and not rest[12000:].any()


def test_a_background_of_padded_clips_is_nowhere_silent() -> None:
    padded = np.concatenate([noise(1600, -20), np.zeros(RATE)])
    ground = mixing.background([padded, padded], RATE, np.random.default_rng(0))
    assert len(ground) == RATE
    assert levels.active_level(ground) == pytest.approx(0, abs=0.01)
    assert levels.frame_levels(ground).min() > -70
    with pytest.raises(ValueError, match="at least 48000 samples"):
        mixing.background([padded, padded], 3 * RATE, np.random.default_rng(0))


def test_a_click_is_where_it_was_placed() -> None:
    click = np.zeros(160, np.float32)
    click[0] = 1
    scene = mixing.mixed(np.zeros(RATE, np.float32), [(4321, click)], -20)
    assert np.flatnonzero(scene).tolist() == [4321]
    assert levels.samples_to_ms(4321) == 270.0625
    with pytest.raises(ValueError, match="from 15900 to 16060"):
        mixing.mixed(np.zeros(RATE, np.float32), [(15900, click)], 0)


def test_pink_noise_has_the_same_power_in_each_octave() -> None:
    spectrum = np.abs(np.fft.rfft(mixing.pink_noise(1 << 18, np.random.default_rng(0)))) ** 2
    octaves = [spectrum[low : 2 * low].sum() for low in (1024, 4096, 16384, 65536)]
    assert max(octaves) / min(octaves) < 1.1
