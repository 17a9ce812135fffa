"""Recordings with planted onsets."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.studies.onsets.recordings import EventSet, Recording, Track
from benchmark.tasks.task import Event

HOP = 40.0


LABELS = ("high", "low")


def recording(rng: np.random.Generator, late_ms: float = 0.0, seconds: float = 10.0) -> tuple[Recording, Track]:
    """Ten seconds with events of either label on the grid of 40 ms, each but the first shorter than 0.5 s and as far
    apart, and frames that tell what is going on, amid noise. Events truly begin ``late_ms`` before their frames."""
    count = int(seconds * 1000 / HOP)
    values = 0.05 * rng.standard_normal((count, 4))
    events = []
    for column, label in enumerate(LABELS):
        start = int(rng.integers(10, 20))
        while start < count - 20:
            length = int(rng.integers(6, 12))
            values[start : start + length, column] += 1
            events.append(Event(label, start * HOP - late_ms, (start + length) * HOP - late_ms))
            start += length + int(rng.integers(15, 30))
    times = np.arange(count) * HOP
    return Recording(np.zeros(int(seconds * 16000), np.float32), tuple(events)), Track(values.astype(np.float16), times)


def planted(late_ms: float = 0.0) -> tuple[EventSet, dict[str, list[Track]]]:
    rng = np.random.default_rng(0)
    made = {split: [recording(rng, late_ms) for _ in range(4)] for split in ("train", "valid", "test")}
    splits = {split: [pair[0] for pair in pairs] for split, pairs in made.items()}
    return EventSet(LABELS, splits), {split: [pair[1] for pair in pairs] for split, pairs in made.items()}


def forgetful(width: int, compute: Any) -> Any:
    return compute()
