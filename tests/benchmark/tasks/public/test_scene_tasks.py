"""The public suite's scene tasks, out of the real sets where they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.tasks.checks import check_files, check_item
from benchmark.tasks.public import speaker_count, speech_music_other
from benchmark.tasks.registry import task_of
from benchmark.tasks.scenes import levels
from benchmark.tasks.task import Item

SCENES = (
    "spoken_digits",
    "language_id",
    "speaker_id",
    "speaker_gender",
    "vocal_bursts",
    "esc50",
    "orchestral_notes",
    "pitch",
    "drum_strokes",
)


def placed(items: list[Item]) -> list[tuple[str, str, str, frozenset[str]]]:
    return [(item.file, item.split, item.group, frozenset(map(str, item.labels))) for item in items]


@pytest.mark.parametrize("name", SCENES)
def test_no_group_is_in_two_splits_and_every_label_in_each(name: str, labelled_sets: Path) -> None:
    task = task_of(name)
    items = list(task.items(labelled_sets))
    for item in items:
        check_item(task, item)
    check_files(task, placed(items))
    assert 500 < len(items) < 3000
    assert all(item.group != item.file for item in items) or name == "speaker_id"


def test_speakers_are_mixed_as_stated(labelled_sets: Path) -> None:
    made = list(speaker_count.mixtures(labelled_sets))
    counts = Counter((split, len(mixture.speakers)) for split, _, mixture in made)
    assert counts == {(split, n): number for split, number in speaker_count.FILES.items() for n in range(5)}
    check_files(speaker_count.TASK, placed(list(speaker_count.items(labelled_sets))))
    for _, _, mixture in made[::40]:
        ground, voices = mixture.parts()
        assert len({clip.group for clip in mixture.speakers}) == len(voices) == len(mixture.speakers)
        assert all(-3.1 <= levels.active_level(voice) <= 3.1 for voice in voices)
        assert -25.1 <= levels.active_level(ground) <= -14.9
        # Every two of them speak at the same time.
        active = [levels.frame_levels(voice) > -25 for voice in voices]
        assert all(np.sum(a & b) * levels.FRAME_SECONDS > 0.5 for a in active for b in active)
        samples = mixture.samples()
        assert len(samples) == 64000 and np.abs(samples).max() <= levels.PEAK + 1e-6
        np.testing.assert_array_equal(samples, mixture.samples())


def test_speech_and_music_are_without_silence_and_of_levels_in_one_range(labelled_sets: Path) -> None:
    items = list(speech_music_other.items(labelled_sets))
    check_files(speech_music_other.TASK, placed(items))
    assert Counter(item.labels for item in items) == dict.fromkeys((("speech",), ("music",), ("other",)), 300)
    of_label: dict[str, list[float]] = {}
    for item in items[::15]:
        samples = item.samples() if callable(item.samples) else item.samples
        assert len(samples) == 30400 and np.abs(samples).max() <= levels.PEAK + 1e-6
        assert levels.frame_levels(samples).min() > levels.active_level(samples) - 60
        of_label.setdefault(str(item.labels[0]), []).append(levels.active_level(samples))
    assert all(-35.5 < level < -19.5 for drawn in of_label.values() for level in drawn)
