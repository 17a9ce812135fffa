"""Phrases are where the labels say, as loud as the file's name says, and nobody is heard in two splits."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.tasks.public import voice_activity
from benchmark.tasks.scenes import event_scene, levels
from benchmark.tasks.task import Item
from tests.benchmark.labelled_sets import RATE, write_set
from tests.benchmark.tasks.made_sets import burst, events_of, samples_of, write_esc50


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_esc50(made, ("rain", "dog", "laughing"))
    kinds = list(itertools.product("fm", ("adult", "child"), range(3), range(2)))
    rows = [{"speaker": f"{g}{a}{n}", "gender": g, "age_group": a, "split": "train"} for g, a, n, _ in kinds]
    clips = [burst(0.8 + 0.1 * (n % 4), 0.5, 0.25, n) for n in range(len(rows))]
    write_set(made, "read_speech_speakers", rows, clips)
    rows = [{"speaker": f"s{n % 7}", "split": ("train", "train", "valid", "test")[n % 4]} for n in range(24)]
    write_set(made, "language_id", rows, [burst(1.0, 0.3, 0.3, 100 + n) for n in range(24)])
    return made


@pytest.fixture(scope="module")
def files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        return list(voice_activity.items(folder))


def test_all_combinations_occur_equally_often(files: list[Item]) -> None:
    counts = Counter((item.split, len(item.labels), item.file.split("_")[2]) for item in files)
    for split, repeats in voice_activity.REPEATS.items():
        assert counts[split, 0, "none.wav"] == repeats * len(voice_activity.RATIOS_DB)
        for n_phrases, ratio in itertools.product((1, 2, 3, 4), voice_activity.RATIOS_DB):
            assert counts[split, n_phrases, f"{ratio}dB.wav"] == repeats


def test_no_speaker_or_recording_is_in_two_splits(files: list[Item]) -> None:
    split_of: dict[str, str] = {}
    for item in files:
        for group in item.group.split():
            assert split_of.setdefault(group, item.split) == item.split
    assert {name.split(":")[0] for name in split_of} == {"read_speech_speakers", "language_id", "esc50"}
    assert "laughing" not in " ".join(split_of)


def test_phrases_are_the_bursts_and_apart(files: list[Item]) -> None:
    for item in files:
        events = sorted(events_of(item), key=lambda event: event.start_ms)
        for event in events:
            assert event.label == "speech"
            assert min(abs(event.end_ms - event.start_ms - known) for known in (800, 900, 1000, 1100)) < 1
        for before, after in itertools.pairwise(events):
            assert after.start_ms - before.end_ms >= 1000 * voice_activity.LEAST_GAP - 1e-6


def test_a_file_without_its_background_is_silent_but_for_its_events_at_their_ratio(files: list[Item]) -> None:
    loud = [item for item in files if len(item.labels) == 2][::7]
    assert loud
    for item in loud:
        assert isinstance(item.samples, partial)
        plan, sets = item.samples.args
        ground, _ = event_scene.parts(plan, sets)
        scene = item.samples()
        assert scene.dtype == np.float32 and len(scene) == 10 * RATE and np.abs(scene).max() < 1
        inside = np.zeros(len(scene), bool)
        for event in events_of(item):
            inside[round(event.start_ms * 16) : round(event.end_ms * 16)] = True
        # The gain by which the whole was delivered, from where there is background alone.
        gain = float(scene[~inside] @ ground[~inside] / (ground[~inside] @ ground[~inside]))
        rest = scene / gain - ground
        assert np.abs(rest[~inside]).max() < 1e-3
        for event in events_of(item):
            phrase = rest[round(event.start_ms * 16) : round(event.end_ms * 16)]
            ratio = levels.active_level(phrase) - levels.active_level(ground)
            assert ratio == pytest.approx(int(item.file.split("_")[2][: -len("dB.wav")]), abs=0.1)


def test_the_same_at_every_call(
    folder: Path, files: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    again = list(voice_activity.items(folder))
    assert [(item.file, item.labels, item.group) for item in again] == [
        (item.file, item.labels, item.group) for item in files
    ]
    np.testing.assert_array_equal(samples_of(again[60]), samples_of(files[60]))


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="read_speech_speakers.tar"):
        list(voice_activity.items(tmp_path))
