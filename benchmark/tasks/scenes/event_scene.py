"""Files of an event task: ten seconds of background out of ESC-50, with stretches of clips on it at exact times.

What a file is made of is planned first, as a :class:`Scene`, and mixed when it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet
from benchmark.tasks.scenes.levels import delivered, samples_to_ms, seconds_to_samples
from benchmark.tasks.scenes.mixing import background, faded, mixed
from benchmark.tasks.scenes.placing import deck
from benchmark.tasks.splitting import one_split_a_group
from benchmark.tasks.task import Event, Item

SECONDS = 10.0

SPLITS = ("train", "valid", "test")

#: Which of ESC-50's folds are in which split.
SPLIT_OF_FOLD = {"1": "train", "2": "train", "3": "train", "4": "valid", "5": "test"}

#: Clips of five seconds that a background is made of: a quarter of a second of each two overlaps.
CLIPS_PER_BACKGROUND = 3

#: Decibels of full scale between which a file's level is drawn.
LEVELS_DB = (-35.0, -20.0)

#: Epochs between two validations, and how many of these may pass without a better score. heareval's own 3 and 20 are
#: for training sets of a few batches: here the best epoch is among the first thirty, and each validation scores events,
#: which is slow. Not after every epoch: while nothing is found yet the score is nan, which stops the training.
EARLY_STOPPING = {"check_val_every_n_epoch": [5], "patience": [5]}


@dataclass(frozen=True)
class Stretch:
    """A stretch of a clip: its label, the set that it is in, its row there, first sample and the one after the last,
    and the group that must not be in two splits."""

    label: str
    source: str
    row: int
    start: int
    end: int
    group: str

    @property
    def length(self) -> int:
        """Samples."""
        return self.end - self.start


@dataclass(frozen=True)
class Scene:
    """All that makes one file.

    Attributes:
        background: rows of ESC-50.
        placed: the stretches on it.
        starts: first sample of each.
        ratio_db: decibels between a stretch's level and the background's, while either sounds.
        level_db: of the file, decibels of full scale.
        fades: seconds in which a stretch fades in and out.
        seed: of the background's cut and noise.
    """

    background: tuple[int, ...]
    placed: tuple[Stretch, ...]
    starts: tuple[int, ...]
    ratio_db: int
    level_db: float
    fades: tuple[float, float]
    seed: tuple[int, ...]


def recordings_by_split(manifest: pd.DataFrame, labels: Iterable[str]) -> dict[str, np.ndarray]:
    """Rows of ESC-50 in each split that have one of the labels; no source recording is in two."""
    splits = [SPLIT_OF_FOLD[fold] for fold in manifest["fold"]]
    kept = one_split_a_group(splits, manifest["source_recording"].tolist())
    kept &= manifest["label"].isin(list(labels)).to_numpy()
    return {split: np.flatnonzero(kept & (np.array(splits) == split)) for split in SPLITS}


def drawn_backgrounds(recordings: np.ndarray, n_files: int, random: np.random.Generator) -> list[tuple[int, ...]]:
    """For each file the rows of ESC-50 that its background is made of, all of them equally often."""
    cards = deck(len(recordings), CLIPS_PER_BACKGROUND * n_files, random)
    rows = [int(recordings[card]) for card in cards]
    return [tuple(rows[first : first + CLIPS_PER_BACKGROUND]) for first in range(0, len(rows), CLIPS_PER_BACKGROUND)]


def parts(scene: Scene, sets: Mapping[str, LabelledSet]) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """A file's background, and its stretches with their first samples, before they are mixed."""
    clips = [sets["esc50"].clip(row, SAMPLE_RATE) for row in scene.background]
    ground = background(clips, seconds_to_samples(SECONDS), np.random.default_rng(scene.seed))
    placed = []
    for start, stretch in zip(scene.starts, scene.placed):
        samples = sets[stretch.source].clip(stretch.row, SAMPLE_RATE)[stretch.start : stretch.end]
        placed.append((start, faded(samples, *scene.fades)))
    return ground, placed


def render(scene: Scene, sets: Mapping[str, LabelledSet]) -> np.ndarray:
    """A file, ``(n_samples,)`` float32 at 16 kHz."""
    ground, placed = parts(scene, sets)
    return delivered(mixed(ground, placed, scene.ratio_db), scene.level_db)


def scene_items(split: str, scenes: Iterable[Scene], sets: Mapping[str, LabelledSet]) -> Iterator[Item]:
    """A split's files, named by number and ratio, with their events in order of time.

    Args:
        split: the split.
        scenes: its files.
        sets: labelled sets by name, ESC-50 and those of the stretches.
    """
    recording = sets["esc50"].manifest["source_recording"].to_numpy(str)
    for number, scene in enumerate(scenes):
        in_time = sorted(zip(scene.starts, scene.placed), key=lambda pair: pair[0])
        events = tuple(
            Event(stretch.label, samples_to_ms(start), samples_to_ms(start + stretch.length))
            for start, stretch in in_time
        )
        groups = {stretch.group for stretch in scene.placed} | {f"esc50:{recording[row]}" for row in scene.background}
        file = f"{split}_{number:03d}_{f'{scene.ratio_db}dB' if events else 'none'}.wav"
        yield Item(file, split, partial(render, scene, sets), events, " ".join(sorted(groups)))
