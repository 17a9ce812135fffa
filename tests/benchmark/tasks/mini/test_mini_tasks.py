from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmark.tasks.layout import Prepared, write_task
from benchmark.tasks.mini import drum_events as mini_drum_events
from benchmark.tasks.mini import percussion as mini_percussion
from benchmark.tasks.mini.percussion import COPIES, IN_PRETRAINING, KINDS, kind_of, safe_name
from benchmark.tasks.mini.phones import FOLDS, VOICES
from benchmark.tasks.mini.speech_music_other import MUSIC, OTHER, clips_of, telephone_band
from benchmark.tasks.registry import MINI, task_of
from tests.benchmark.tasks.mini.mini_packages import SPOKEN, write_packages


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    write_packages(folder)
    return folder


@pytest.fixture(scope="module")
def built(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    tasks_dir = tmp_path_factory.mktemp("built") / "tasks"
    return {name: write_task(task_of(name), tasks_dir, packages) for name in MINI}


def truth(prepared: Prepared) -> dict[str, dict[str, list]]:
    return {split: json.loads((prepared.folder / f"{split}.json").read_text()) for split in prepared.metadata["splits"]}


@pytest.mark.parametrize("name", MINI)
def test_every_class_is_in_every_split_and_no_file_in_two(built: dict[str, Prepared], name: str) -> None:
    splits = truth(built[name])
    labels = [
        {label["label"] if isinstance(label, dict) else label for row in files.values() for label in row}
        for files in splits.values()
    ]
    assert all(found == labels[0] for found in labels)
    assert not any(set(a) & set(b) for a, b in combinations(splits.values(), 2))


@pytest.mark.parametrize("name", MINI)
def test_a_second_build_finds_the_first(built: dict[str, Prepared], packages: Path, name: str) -> None:
    before = (built[name].folder / "task_metadata.json").stat().st_mtime_ns
    again = write_task(task_of(name), built[name].folder.parent, packages)
    assert again.sha256 == built[name].sha256
    assert (again.folder / "task_metadata.json").stat().st_mtime_ns == before


def test_no_speaker_of_phones_is_in_two_folds(built: dict[str, Prepared]) -> None:
    assert len(set(VOICES)) == len(VOICES) == 8
    for name, n_labels in (("mini_vowels", 5), ("mini_consonants", len(SPOKEN))):
        for fold, files in truth(built[name]).items():
            assert {file.rpartition("_")[0] for file in files} == {v.removeprefix("festvox-") for v in FOLDS[fold]}
            assert len(files) == 2 * 5 * len(SPOKEN)
            assert len({label for row in files.values() for label in row}) == n_labels


def test_the_label_of_a_phone_is_in_its_unit(built: dict[str, Prepared]) -> None:
    for files in truth(built["mini_vowels"]).values():
        assert all(file.removesuffix(".wav")[-1] == label for file, (label,) in files.items())
    for files in truth(built["mini_consonants"]).values():
        assert all(file.removesuffix(".wav")[-2] == label for file, (label,) in files.items())


def test_phones_of_all_speakers_are_equally_loud(built: dict[str, Prepared]) -> None:
    levels = []
    for path in built["mini_vowels"].folder.rglob("*_pa.wav"):
        samples = soundfile.read(path)[0]
        levels.append(10 * np.log10(np.mean(samples[np.flatnonzero(samples)] ** 2)))
    assert len(levels) == 8 and max(levels) - min(levels) < 3


def test_hits_that_are_copies_or_were_pretrained_on_are_left_out(built: dict[str, Prepared]) -> None:
    files = [file for split in truth(built["mini_percussion"]).values() for file in split]
    left_out = {safe_name(name) for name in COPIES | IN_PRETRAINING}
    assert not {file.partition("_")[2] for file in files} & left_out
    assert len(files) == 5 * sum(map(len, KINDS.values()))
    assert kind_of("FoxDot/snd/z/lower/scratch.wav") is None
    assert kind_of("FoxDot/snd/x/lower/0.txt") is None and kind_of("x/lower/0.wav") is None
    assert kind_of("FoxDot/snd/x/lower/0.wav") == "kick"


def test_too_few_hits_are_an_error(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mini_percussion.KINDS, "kick", ("nowhere",))
    with pytest.raises(ValueError, match="5 hits of kick, found 0"):
        list(mini_percussion.hits(packages))


def test_drum_events_lie_where_the_sound_is(built: dict[str, Prepared]) -> None:
    prepared = built["mini_drum_events"]
    counts = {split: len(files) for split, files in truth(prepared).items()}
    assert counts == mini_drum_events.FILES
    gains = []
    for file, events in truth(prepared)["test"].items():
        samples, rate = soundfile.read(prepared.folder / "16000" / "test" / file)
        heard = np.zeros(len(samples), bool)
        for event in events:
            heard[round(event["start"] * rate / 1000) : round(event["end"] * rate / 1000)] = True
        gains.append(10 * np.log10(np.mean(samples[heard] ** 2) / np.mean(samples[~heard] ** 2)))
        per_drum = Counter(event["label"] for event in events)
        assert set(per_drum) == {"kick", "snare", "hihat"} and all(2 <= count <= 4 for count in per_drum.values())
    assert min(gains) > 15


def test_no_thing_is_both_music_and_another_sound() -> None:
    assert not set(MUSIC) & set(OTHER)
    assert len(set(OTHER)) == len(OTHER)


def test_clips_are_cut_where_a_recording_is_loud() -> None:
    recording = np.random.default_rng(0).standard_normal(5 * 16000).astype(np.float32)
    recording[2 * 16000 : 4 * 16000] *= 0.01
    assert [len(clip) for clip in clips_of(recording)] == [32000, 16000]
    assert len(clips_of(np.tile(recording[:32000], 20))) == 8


def test_the_telephone_band_ends_at_4_khz() -> None:
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (1000, 6000))
    assert np.std(telephone_band(low)) > 0.6
    assert np.std(telephone_band(high)) < 0.01
