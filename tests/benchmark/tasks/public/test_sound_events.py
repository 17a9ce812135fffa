"""Sounds are where the labels say, two at once at most, and none is heard in two splits."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.tasks.public import sound_events
from benchmark.tasks.scenes import event_scene
from benchmark.tasks.task import Item
from tests.benchmark.labelled_sets import RATE, write_set
from tests.benchmark.tasks.made_sets import burst, events_of, samples_of, write_esc50

LABELS = {*sound_events.DRUMS.values(), *sound_events.SHORT_SOUNDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_esc50(made, (*sound_events.SHORT_SOUNDS, "rain", "wind"))
    rows = [
        {"label": label, "split": split, "stroke": f"{label}#{split}{n}", "microphone": microphone}
        for label, split, n, microphone in itertools.product(
            (*sound_events.DRUMS, "RideL"), ("train", "valid", "test"), range(2), ("far", "near")
        )
    ]
    write_set(made, "drum_strokes", rows, [burst(0.2, 0.0, 0.5, number) for number in range(len(rows))])
    return made


@pytest.fixture(scope="module")
def files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        return list(sound_events.items(folder))


def test_labels_and_ratios_occur_equally_often(files: list[Item]) -> None:
    for split, repeats in sound_events.REPEATS.items():
        of_split = [item for item in files if item.split == split]
        counts = Counter(event.label for item in of_split for event in events_of(item))
        assert set(counts) == LABELS
        assert max(counts.values()) - min(counts.values()) <= 1
        ratios = Counter(item.file.split("_")[2] for item in of_split)
        assert set(ratios.values()) == {repeats * len(sound_events.EVENTS)}


def test_no_stroke_or_recording_is_in_two_splits(files: list[Item]) -> None:
    split_of: dict[str, str] = {}
    for item in files:
        for group in item.group.split():
            assert split_of.setdefault(group, item.split) == item.split


def test_two_at_once_at_most_and_those_of_a_label_apart(files: list[Item]) -> None:
    for item in files:
        for event in events_of(item):
            begun = [other for other in events_of(item) if other.start_ms <= event.start_ms < other.end_ms]
            assert len(begun) <= sound_events.POLYPHONY
            for other in events_of(item):
                if other is not event and other.label == event.label:
                    gap = max(other.start_ms - event.end_ms, event.start_ms - other.end_ms)
                    assert gap >= 1000 * sound_events.LEAST_GAP - 1e-6


def test_sounds_are_the_bursts_and_nowhere_else(files: list[Item]) -> None:
    for item in files[::29]:
        assert isinstance(item.samples, partial)
        plan, sets = item.samples.args
        ground, _ = event_scene.parts(plan, sets)
        scene, inside = item.samples(), np.zeros(10 * RATE, bool)
        for event in events_of(item):
            known = 200 if event.label in sound_events.DRUMS.values() else 300
            assert event.end_ms - event.start_ms == pytest.approx(known, abs=1)
            inside[round(event.start_ms * 16) : round(event.end_ms * 16)] = True
        gain = float(scene[~inside] @ ground[~inside] / (ground[~inside] @ ground[~inside]))
        rest = np.abs(scene / gain - ground)
        assert rest[~inside].max() < 1e-3
        for event in events_of(item):
            # The first ten milliseconds sound already: noise at the ratio asked for, above a background of 0 dB.
            start = round(event.start_ms * 16)
            assert np.sqrt(np.mean(rest[start : start + 160] ** 2)) > 0.5 * 10 ** (plan.ratio_db / 20)


def test_what_is_an_event() -> None:
    assert sound_events.event_of(burst(0.3, 0.5, 4.2, 0)) == (8000, 12800)
    assert sound_events.event_of(burst(1.5, 0.5, 3.0, 0)) == (8000, 24000)
    assert sound_events.event_of(burst(0.02, 0.5, 3.0, 0)) == (8000, 9600)
    assert sound_events.event_of(burst(2.5, 0.5, 2.0, 0)) is None
    assert sound_events.event_of(burst(0.02, 0.0, 0.0, 0)) is None
    assert sound_events.event_of(np.zeros(RATE)) is None


def test_the_same_at_every_call(
    folder: Path, files: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    again = list(sound_events.items(folder))
    assert [(item.file, item.labels) for item in again] == [(item.file, item.labels) for item in files]
    np.testing.assert_array_equal(samples_of(again[9]), samples_of(files[9]))


def test_a_split_without_a_label_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    write_esc50(tmp_path, ("rain", "dog"))
    (tmp_path / "drum_strokes.tar").write_bytes((folder / "drum_strokes.tar").read_bytes())
    with pytest.raises(ValueError, match="in train, found no sounds of can_opening"):
        list(sound_events.items(tmp_path))
