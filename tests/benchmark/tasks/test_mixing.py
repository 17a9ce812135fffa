"""Levels, ratios, fades and places, with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.tasks import mixing

RATE = 16000


def noise(n_samples: int, decibels: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(n_samples)
    return (samples / np.sqrt(np.mean(samples**2)) * 10 ** (decibels / 20)).astype(np.float32)


def test_levels() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    assert mixing.level(sine) == pytest.approx(-3.01, abs=0.01)
    assert mixing.level(0.1 * sine) == pytest.approx(-23.01, abs=0.01)
    assert mixing.level(np.zeros(5)) == mixing.level(np.zeros(0)) == mixing.SILENCE_DB
    half = np.concatenate([0.1 * sine, 0 * sine])
    assert mixing.level(half) == pytest.approx(-26.02, abs=0.01)
    assert mixing.active_level(half) == pytest.approx(-23.01, abs=0.01)
    with pytest.raises(ValueError, match="at least 160 samples"):
        mixing.active_level(np.zeros(159))


def test_the_main_run_is_found_in_noise_and_clicks_beside_it_are_not() -> None:
    clip = noise(3 * RATE, -60)
    clip[RATE : 2 * RATE] += noise(RATE, -20, 1)
    clip[RATE - 3000 : RATE - 2990] += 0.5
    found = mixing.active_run(clip, range_db=30, least_seconds=0.05)
    assert found == (RATE, 2 * RATE)
    assert mixing.active_run(clip, range_db=30)[0] < RATE - 2990


def test_pauses_are_bridged_up_to_their_limit() -> None:
    clip = np.zeros(3 * RATE, np.float32)
    clip[1600:4800] = noise(3200, -20)
    clip[8000:16000] = noise(8000, -20)  # 0.2 s later
    assert mixing.active_run(clip, bridge_seconds=0.2) == (1600, 16000)
    assert mixing.active_run(clip, bridge_seconds=0.19) == (8000, 16000)
    assert mixing.active_run(np.zeros(RATE)) == (0, 0)


def test_fades_touch_the_ends_alone() -> None:
    faded = mixing.faded(np.ones(RATE), 0.01, 0.02)
    assert 0 < faded[0] < 0.01 and 0 < faded[-1] < 0.01
    assert (np.diff(faded[:160]) > 0).all() and (np.diff(faded[-320:]) < 0).all()
    assert (faded[160:-320] == 1).all()
    assert len(mixing.faded(np.ones(3), 1.0, 1.0)) == 3


def test_a_seam_neither_clicks_nor_loses_power() -> None:
    joined = mixing.crossfaded([noise(RATE, -20, seed) for seed in range(3)], 0.25)
    assert len(joined) == 3 * RATE - 2 * 4000
    assert mixing.level(joined[RATE - 4000 : RATE]) == pytest.approx(-20, abs=0.5)
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
    assert mixing.level(rest[8000:12000]) - mixing.active_level(ground) == pytest.approx(ratio, abs=0.1)
    assert not rest[:8000].any() and not rest[12000:].any()


def test_a_background_of_padded_clips_is_nowhere_silent() -> None:
    padded = np.concatenate([noise(1600, -20), np.zeros(RATE)])
    ground = mixing.background([padded, padded], RATE, np.random.default_rng(0))
    assert len(ground) == RATE
    assert mixing.active_level(ground) == pytest.approx(0, abs=0.01)
    assert mixing.frame_levels(ground).min() > -70
    with pytest.raises(ValueError, match="at least 48000 samples"):
        mixing.background([padded, padded], 3 * RATE, np.random.default_rng(0))


def test_a_click_is_where_it_was_placed() -> None:
    click = np.zeros(160, np.float32)
    click[0] = 1
    scene = mixing.mixed(np.zeros(RATE, np.float32), [(4321, click)], -20)
    assert np.flatnonzero(scene).tolist() == [4321]
    assert mixing.samples_to_ms(4321) == 270.0625
    with pytest.raises(ValueError, match="from 15900 to 16060"):
        mixing.mixed(np.zeros(RATE, np.float32), [(15900, click)], 0)


def test_a_scene_is_as_loud_as_asked_and_never_clipped() -> None:
    assert mixing.active_level(mixing.delivered(noise(RATE, -3), -30)) == pytest.approx(-30, abs=0.01)
    spiky = np.zeros(RATE, np.float32)
    spiky[::800] = 1
    assert np.abs(mixing.delivered(spiky, 0)).max() == pytest.approx(mixing.PEAK)
    assert not mixing.delivered(np.zeros(RATE, np.float32), -20).any()


def test_pink_noise_has_the_same_power_in_each_octave() -> None:
    spectrum = np.abs(np.fft.rfft(mixing.pink_noise(1 << 18, np.random.default_rng(0)))) ** 2
    octaves = [spectrum[low : 2 * low].sum() for low in (1024, 4096, 16384, 65536)]
    assert max(octaves) / min(octaves) < 1.1


@given(st.lists(st.integers(1, 3000), max_size=5), st.integers(0, 200), st.integers(0, 500), st.integers(0, 99))
def test_spread_keeps_order_and_distance(lengths: list[int], gap: int, edge: int, seed: int) -> None:
    starts = mixing.spread(lengths, RATE + 1000, gap, np.random.default_rng(seed), edge)
    ends = [start + length for start, length in zip(starts, lengths)]
    assert all(start - end >= gap for start, end in zip(starts[1:], ends))
    assert all(edge <= start and end <= RATE + 1000 - edge for start, end in zip(starts, ends))


def test_spread_fills_what_is_just_full_and_says_what_is_too_much() -> None:
    assert mixing.spread([400, 500], 1000, 100, np.random.default_rng(0)) == [0, 500]
    with pytest.raises(ValueError, match="1 are lacking"):
        mixing.spread([400, 501], 1000, 100, np.random.default_rng(0))


@given(st.lists(st.tuples(st.integers(1, 1500), st.sampled_from("ab")), max_size=8), st.integers(0, 99))
def test_scatter_keeps_to_the_polyphony(stretches: list[tuple[int, str]], seed: int) -> None:
    lengths, labels = [length for length, _ in stretches], [label for _, label in stretches]
    starts = mixing.scatter(lengths, labels, 4 * RATE, 2, 300, np.random.default_rng(seed))
    sounding = np.zeros((2, 4 * RATE + 300), int)
    alone = np.zeros(4 * RATE, int)
    for start, length, label in zip(starts, lengths, labels):
        sounding["ab".index(label), start : start + length + 300] += 1
        alone[start : start + length] += 1
        assert start + length <= 4 * RATE
    assert sounding.max(initial=0) <= 1
    assert alone.max(initial=0) <= 2


def test_scatter_says_when_there_is_no_room() -> None:
    for lengths in ([1001], [900, 900, 900]):
        with pytest.raises(ValueError, match="expected room"):
            mixing.scatter(lengths, list("abc")[: len(lengths)], 1000, 2, 0, np.random.default_rng(0))


@given(st.integers(1, 20), st.integers(0, 50), st.integers(0, 99))
def test_cards_are_drawn_equally_often(n_cards: int, n_drawn: int, seed: int) -> None:
    counts = np.bincount(mixing.deck(n_cards, n_drawn, np.random.default_rng(seed)), minlength=n_cards)
    assert counts.sum() == n_drawn
    assert counts.max() - counts.min() <= 1
