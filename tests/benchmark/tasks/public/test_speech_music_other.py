"""Files made of the real sets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.tasks.checks import check_files
from benchmark.tasks.public import speech_music_other
from benchmark.tasks.scenes import levels
from benchmark.tasks.task import Item


def placed(items: list[Item]) -> list[tuple[str, str, str, frozenset[str]]]:
    return [(item.file, item.split, item.group, frozenset(map(str, item.labels))) for item in items]


@pytest.mark.slow
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
