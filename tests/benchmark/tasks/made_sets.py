"""Labelled sets of noise, small, in which it is known what is where."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from benchmark.tasks.task import Event, Item
from tests.benchmark.labelled_sets import RATE, write_set


def noise(n_samples: int, decibels: float, seed: int = 0) -> np.ndarray:
    """White noise of a level in decibels of full scale, ``(n_samples,)`` float32."""
    samples = np.random.default_rng(seed).standard_normal(n_samples)
    return (samples / np.sqrt(np.mean(samples**2)) * 10 ** (decibels / 20)).astype(np.float32)


def burst(seconds: float, before: float, after: float, seed: int) -> np.ndarray:
    """Noise of amplitude 0.1 between stretches that are 60 dB quieter."""
    n_before, n_burst, n_after = (round(part * RATE) for part in (before, seconds, after))
    samples = np.random.default_rng(seed).uniform(-1, 1, n_before + n_burst + n_after) * 1e-4
    samples[n_before : n_before + n_burst] *= 1000
    return samples


def write_esc50(folder: Path, labels: tuple[str, ...]) -> None:
    """Two clips of each label in each fold, of 0.3 s in 5 s; one recording is in folds 1 and 5."""
    rows, clips = [], []
    for fold in "12345":
        for label in labels:
            for take in "ab":
                recording = "everywhere" if fold in "15" and take == "b" and label == labels[0] else fold + label + take
                rows.append({"label": label, "fold": fold, "source_recording": recording})
                clips.append(burst(0.3, 0.5, 4.2, len(rows)))
    write_set(folder, "esc50", rows, clips)


def events_of(item: Item) -> tuple[Event, ...]:
    """Labels of a file whose labels are events."""
    return cast("tuple[Event, ...]", item.labels)


def samples_of(item: Item) -> np.ndarray:
    """The audio of a file that is made when it is asked for."""
    assert callable(item.samples)
    return item.samples()
