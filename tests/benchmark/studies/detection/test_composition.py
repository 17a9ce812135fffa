"""Recordings with exact times, and nothing in common between the parts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.labelled_set import LabelledSet, load_set
from benchmark.studies.detection import composition
from benchmark.studies.detection.composition import Composed, Sounds, compose, kinds, sounds_of
from tests.benchmark.studies.detection.made import write_sets


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LabelledSet]:
    folder = tmp_path_factory.mktemp("made")
    write_sets(folder / "audio")
    names = ("esc50", "speech_commands_12")
    return {name: load_set(folder / "audio" / f"{name}.tar", folder / "cache") for name in names}


@pytest.fixture(scope="module")
def sounds(sets: dict[str, LabelledSet]) -> dict[str, Sounds]:
    return sounds_of(sets)


@pytest.fixture(scope="module")
def parts(sets: dict[str, LabelledSet], sounds: dict[str, Sounds]) -> dict[str, Composed]:
    return {part: compose(part, sounds[part], sets, count, 0) for part, count in (("learn", 3), ("test", 1))}


def test_each_recording_has_each_class_as_often(parts: dict[str, Composed]) -> None:
    for part, composed in parts.items():
        counts = composed.events.groupby(["file", "label"]).size()
        assert (counts == composition.REPEATS[part]).all()
        assert len(counts) == len(composed.recordings) * len(kinds())
        length = round(composition.SECONDS[part] * 16000)
        assert (composed.recordings.lengths == length).all()
        assert (composed.events["end"] <= composition.SECONDS[part]).all()


def test_a_block_has_different_clips(parts: dict[str, Composed]) -> None:
    assert (parts["learn"].events.groupby("label")["clip"].nunique() == 3).all()


def test_the_parts_share_no_speaker_and_no_source(sounds: dict[str, Sounds]) -> None:
    groups = {
        part: {each.group for found in its.events.values() for each in found} | {each.group for each in its.others}
        for part, its in sounds.items()
    }
    assert groups["learn"] and groups["test"] and not groups["learn"] & groups["test"]
    assert not set(sounds["learn"].backgrounds) & set(sounds["test"].backgrounds)


def test_events_are_where_they_are_said_to_be(parts: dict[str, Composed]) -> None:
    composed = parts["learn"]
    louder = []
    for number, file in enumerate(composed.recordings.manifest["file"]):
        power = np.square(composed.recordings.clip(number))
        inside = np.zeros(len(power), bool)
        for row in composed.events[composed.events["file"] == file].itertuples():
            inside[round(row.start * 16000) : round(row.end * 16000)] = True
        louder.append(power[inside].mean() / power[~inside].mean())
    # Distractors are outside, and so louder than the background, too.
    assert min(louder) > 2


def test_the_seed_decides(sets: dict[str, LabelledSet], sounds: dict[str, Sounds], parts: dict[str, Composed]) -> None:
    again, other = (compose("learn", sounds["learn"], sets, 3, seed) for seed in (0, 1))
    assert again.recordings.sha256 == parts["learn"].recordings.sha256 != other.recordings.sha256
