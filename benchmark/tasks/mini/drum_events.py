"""Drum events: which drum is struck when? Hits on kick, snare drum and hi-hat at exact times over soft noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.tasks.mini import percussion as mini_percussion
from benchmark.tasks.mini.percussion import FOLDS, PACKAGE, hits
from benchmark.tasks.scenes.event_scene import EARLY_STOPPING
from benchmark.tasks.scenes.levels import active_run, at_level, delivered, samples_to_ms, seconds_to_samples
from benchmark.tasks.scenes.mixing import faded, mixed, pink_noise
from benchmark.tasks.scenes.placing import deck, scatter
from benchmark.tasks.task import Event, Item, Task

DRUMS = ("kick", "snare", "hihat")

#: Length of each file, s.
DURATION = 6.0

#: Files in each split. No hit is in two splits.
FILES = {"train": 24, "valid": 12, "test": 24}

#: The split of each fold of hits.
SPLIT_OF_FOLD = dict(zip(FOLDS, ("train", "train", "train", "valid", "test")))

#: Least and greatest number of hits on each drum in a file.
HITS = (2, 4)

#: Length of the longest hit, which is cut and faded there, and least distance of two hits on one drum, s.
LONGEST, GAP = 0.3, 0.1

#: Level of the noise below a hit, dB, and level of each file, dB relative to full scale.
NOISE_BELOW, LEVEL = 30.0, -23.0

#: heareval's grid of postprocessing.
POSTPROCESSING = {"median_filter_ms": [0, 80], "min_duration": [40]}

fetch = mini_percussion.fetch


def _cut(hit: np.ndarray) -> np.ndarray:
    """Cut a hit where it has died away."""
    _, end = active_run(hit, range_db=30.0)
    return faded(hit[: max(seconds_to_samples(0.05), min(end, seconds_to_samples(LONGEST)))], 0.0, 0.01)


def _items(folder: Path) -> Iterator[Item]:
    clips: dict[tuple[str, str], list[np.ndarray]] = {}
    for _, kind, fold, samples in hits(folder):
        if kind in DRUMS:
            clips.setdefault((SPLIT_OF_FOLD[fold], kind), []).append(_cut(samples))
    for number, (split, n_files) in enumerate(FILES.items()):
        random = np.random.default_rng([20260101, number])
        counts = {drum: random.integers(HITS[0], HITS[1] + 1, n_files) for drum in DRUMS}
        decks = {drum: deck(len(clips[split, drum]), int(counts[drum].sum()), random) for drum in DRUMS}
        for index in range(n_files):
            labels = [drum for drum in DRUMS for _ in range(counts[drum][index])]
            chosen = [clips[split, drum][decks[drum].pop()] for drum in labels]
            samples, events = _scene(labels, chosen, random)
            name = f"{split}_{index:02}.wav"
            yield Item(name, split, samples, events, name)


def _scene(
    labels: list[str], clips: list[np.ndarray], random: np.random.Generator
) -> tuple[np.ndarray, tuple[Event, ...]]:
    """Mix a file; returns its samples and its events in order of time."""
    n_samples = seconds_to_samples(DURATION)
    lengths = [len(clip) for clip in clips]
    starts = scatter(lengths, labels, n_samples, 2, seconds_to_samples(GAP), random)
    noise = at_level(pink_noise(n_samples, random), -NOISE_BELOW)
    scene = delivered(mixed(noise, list(zip(starts, clips)), NOISE_BELOW, -NOISE_BELOW), LEVEL)
    events = [
        Event(label, samples_to_ms(start), samples_to_ms(start + length))
        for label, start, length in zip(labels, starts, lengths)
    ]
    return scene, tuple(sorted(events, key=lambda event: event.start_ms))


TASKS = (
    Task(
        name="mini_drum_events",
        title="drum events",
        domain="nonspeech",
        description="kick, snare drum and hi-hat in time, hits of many kits placed at random, split by hit",
        embedding_type="event",
        prediction_type="multilabel",
        splits=("train", "valid", "test"),
        sample_duration=DURATION,
        evaluation=("event_onset_50ms_fms", "segment_1s_er"),
        items=_items,
        sources=(PACKAGE,),
        evaluation_params={"event_postprocessing_grid": POSTPROCESSING, "task_specific_param_grid": EARLY_STOPPING},
    ),
)
