"""Tasks of a labelled set's clips: groups stay together, labels stay spread."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE, SAMPLE_RATE, LabelledSet, read_manifest
from benchmark.tasks.checks import check_files, check_item
from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.registry import prepare, task_of
from benchmark.tasks.task import Item
from tests.benchmark.labelled_sets import write_set


def clip(number: int, n_samples: int = 800) -> np.ndarray:
    """``(n_samples,)`` int16 noise, another for each number."""
    return np.random.default_rng(number).integers(-9000, 9000, n_samples).astype(np.int16)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    rows, clips = [], []
    for number in range(24):
        split = ("train", "valid", "test")[number // 2 % 3]
        speaker = "two places" if number in (0, 2, 6) else f"speaker {number}"
        rows.append({"file": f"{number}.wav", "label": f"0{number % 2}", "speaker": speaker, "split": split})
        clips.append(clip(number, 400 + number))
    write_set(tmp_path, "toy", rows, clips)
    return tmp_path


def test_files_have_the_sets_labels_splits_and_samples(sources: Path) -> None:
    items = list(LabelledClips("toy", label_prefix="is_", split_prefix="my_")(sources))
    assert len(items) == 24
    for number, item in enumerate(items):
        assert (item.file, item.labels) == (f"{number}.wav", (f"is_0{number % 2}",))
        assert item.split == ("my_train", "my_valid", "my_test")[number // 2 % 3]
        assert callable(item.samples)
        np.testing.assert_array_equal(item.samples() * 32768, clip(number, 400 + number))


def test_a_group_in_two_splits_stays_where_most_of_it_is(sources: Path) -> None:
    # Clips 0 and 6 of it are for training, 2 for validation.
    items = list(LabelledClips("toy", group="speaker")(sources))
    assert [item.file for item in items if item.group == "two_places"] == ["0.wav", "6.wav"]
    assert len(items) == 23


@pytest.mark.parametrize("column", ["speaker", None])
def test_a_slip_in_the_name_of_a_split_does_not_lose_a_clip_in_silence(sources: Path, column: str | None) -> None:
    rows = [{"file": f"{n}.wav", "label": "a", "speaker": "one", "split": "tset"} for n in range(1, 4)]
    rows += [{"file": f"{n}.wav", "label": "a", "speaker": "one", "split": "test"} for n in range(4, 9)]
    write_set(sources, "slip", rows, [clip(number) for number in range(8)])
    clips = LabelledClips("slip", group=column)
    if column is None:  # each clip is its own group, so the name reaches the check of items
        assert {item.split for item in clips(sources)} == {"test", "tset"}
        return
    with pytest.raises(ValueError, match="expected each speaker of slip in one split, got none .* in 'tset'"):
        list(clips(sources))


def test_labels_and_short_clips_can_be_left_out_and_cells_limited(sources: Path) -> None:
    assert {item.labels for item in LabelledClips("toy", leave_out=("00",))(sources)} == {("01",)}
    assert len(list(LabelledClips("toy", least_seconds=410 / 16000)(sources))) == 14
    items = list(LabelledClips("toy", max_clips={"train": 2, "valid": 1})(sources))
    assert [sum(item.split == split for item in items) for split in ("train", "valid", "test")] == [4, 2, 8]
    again = LabelledClips("toy", max_clips={"train": 2, "valid": 1})(sources)
    assert [item.file for item in items] == [item.file for item in again]


def test_a_missing_column_is_named(sources: Path) -> None:
    with pytest.raises(ValueError, match=r"expected the columns pitch in the manifest of toy, found file, label"):
        list(LabelledClips("toy", label="pitch")(sources))


SCENES = (
    "spoken_digits",
    "language_id",
    "speaker_id",
    "speaker_gender",
    "vocal_bursts",
    "emodb",
    "esc50",
    "orchestral_notes",
    "pitch",
    "drum_strokes",
)


def placed(items: list[Item]) -> list[tuple[str, str, str, frozenset[str]]]:
    return [(item.file, item.split, item.group, frozenset(map(str, item.labels))) for item in items]


def silent_set(path: Path) -> LabelledSet:
    """A set with the manifest and the lengths of another one."""
    manifest = read_manifest(path)
    lengths = np.round(manifest["duration_s"].to_numpy(float) * SAMPLE_RATE).astype(int)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return LabelledSet(path.stem, "", manifest, np.broadcast_to(np.int16(0), offsets[-1:]), offsets, SAMPLE_RATE)


@pytest.mark.parametrize("name", SCENES)
def test_no_group_is_in_two_splits_and_every_label_in_each(
    name: str, labelled_sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the manifests of the real sets; no clip is decoded."""
    monkeypatch.setattr("benchmark.tasks.public.labelled.load_set", silent_set)
    task = task_of(name)
    items = list(task.items(labelled_sets))
    for item in items:
        check_item(task, item)
    check_files(task, placed(items))
    assert 500 < len(items) < 3000
    assert all(item.group != item.file for item in items) or name == "speaker_id"


@pytest.mark.parametrize("name", ["drum_strokes", pytest.param("esc50", marks=pytest.mark.slow)])
def test_the_tasks_are_those_of_the_published_results(
    name: str, labelled_sets: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of decoding, splitting or writing would make all published and cached results outdated."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    published = json.loads((repository / "benchmark" / "results" / "public.json").read_text(encoding="utf-8"))
    (expected,) = [column["sha256"] for column in published["columns"] if column["name"] == name]
    assert prepare(name, tmp_path / "work" / "tasks", labelled_sets).sha256 == expected
