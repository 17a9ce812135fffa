"""Items of an event task."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.tasks.task import Event, Item


def items(folder: Path) -> list[Item]:
    """Bursts of a tone in soft noise."""
    made = []
    for split in ("train", "valid", "test"):
        for number in range(3):
            rng = np.random.default_rng([number, len(split)])
            samples = 1e-4 * rng.standard_normal(48000)
            start = 8000 + 3000 * number
            samples[start : start + 12000] += 0.3 * np.sin(np.arange(12000) / 5)
            event = Event("tone", start / 16, (start + 12000) / 16)
            made.append(Item(f"{split}{number}.wav", split, samples.astype(np.float32), (event,), f"{split}{number}"))
    return made
