"""Small tasks in HEAR's layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from benchmark.hear_tools import example_tasks


def test_example_tasks_are_in_hears_layout(tmp_path: Path, clips_folder: Path) -> None:
    counts = {"train": 3, "valid": 3, "test": 3}
    example_tasks.write_scene_task(tmp_path / "scene", example_tasks.clips_of_folder(clips_folder, 0.5, counts), 0.75)
    example_tasks.write_event_task(
        tmp_path / "event", example_tasks.clips_of_folder(clips_folder, 0.25, counts), 3.0, 0.25
    )
    for kind, seconds in (("scene", 0.75), ("event", 3.0)):
        task = tmp_path / kind
        metadata = json.loads((task / "task_metadata.json").read_text())
        assert (metadata["embedding_type"], metadata["sample_duration"]) == (kind, seconds)
        lines = (task / "labelvocabulary.csv").read_text().splitlines()
        assert lines[0] == "idx,label" and [line.split(",")[0] for line in lines[1:]] == [*"012345"]
        vocabulary = {line.split(",")[1] for line in lines[1:]}
        for split in metadata["splits"]:
            truth = json.loads((task / f"{split}.json").read_text())
            assert truth and {path.name for path in (task / "16000" / split).iterdir()} == set(truth)
            for name, target in truth.items():
                info = soundfile.info(task / "16000" / split / name)
                assert (info.samplerate, info.channels, info.frames) == (16000, 1, seconds * 16000)
                assert {x["label"] if kind == "event" else x for x in target} <= vocabulary


def test_events_are_where_their_labels_say(tmp_path: Path) -> None:
    loud = np.full(8000, 0.5, dtype=np.float32)
    clips = {split: {"a": [loud] * 2, "b": [loud]} for split in example_tasks.SPLITS}
    example_tasks.write_event_task(tmp_path / "event", clips, 4.0, 0.4)
    ((name, events),) = json.loads((tmp_path / "event" / "test.json").read_text()).items()
    samples, _ = soundfile.read(tmp_path / "event" / "16000" / "test" / name)
    expected = np.zeros(64000, dtype=bool)
    for event in events:
        expected[round(event["start"] * 16) : round(event["end"] * 16) - 1] = True
    assert sorted(event["label"] for event in events) == ["a", "a", "b"]
    np.testing.assert_array_equal(samples > 0, expected)
