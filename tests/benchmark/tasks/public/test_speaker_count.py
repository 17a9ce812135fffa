"""Mixtures of real speakers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.tasks.checks import check_files
from benchmark.tasks.public import speaker_count
from benchmark.tasks.scenes import levels
from benchmark.tasks.task import Item


def placed(items: list[Item]) -> list[tuple[str, str, str, frozenset[str]]]:
    return [(item.file, item.split, item.group, frozenset(map(str, item.labels))) for item in items]


@pytest.mark.slow
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
