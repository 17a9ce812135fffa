"""Files of event tasks: ten seconds of background from ESC-50, with segments of clips at exact times.

A file is planned first, as a :class:`Scene`, and mixed when it is written.
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

#: The split of each fold of ESC-50.
SPLIT_OF_FOLD = {"1": "train", "2": "train", "3": "train", "4": "valid", "5": "test"}

#: Clips of 5 s in a background; they overlap by 0.25 s.
CLIPS_PER_BACKGROUND = 3

#: Range of a file's level, dB relative to full scale.
LEVELS_DB = (-35.0, -20.0)

#: Epochs between two validations, and validations without a better score before training stops. heareval's 3 and 20 are
#: for training sets of a few batches; here the best epoch is among the first thirty, and each validation scores events,
#: which is slow. Validation does not follow every epoch, because the score is NaN, which stops the training, until an
#: event is found.
EARLY_STOPPING = {"check_val_every_n_epoch": [5], "patience": [5]}


@dataclass(frozen=True)
class Segment:
    """A segment of a clip.

    Attributes:
        label: its label.
        source: name of the set.
        row: the clip's row in the set.
        start: first sample.
        end: the sample after the last.
        group: what must not be in two splits.
    """

    label: str
    source: str
    row: int
    start: int
    end: int
    group: str

    @property
    def length(self) -> int:
        """Number of samples."""
        return self.end - self.start


@dataclass(frozen=True)
class Scene:
    """The plan of one file.

    Attributes:
        background: rows of ESC-50 for the background.
        placed: the segments in the file.
        starts: first sample of each segment.
        ratio_db: difference of the active levels of a segment and the background, dB.
        level_db: level of the file, dB relative to full scale.
        fades: lengths of a segment's fades at start and end, s.
        seed: seed of the background's position and noise.
    """

    background: tuple[int, ...]
    placed: tuple[Segment, ...]
    starts: tuple[int, ...]
    ratio_db: int
    level_db: float
    fades: tuple[float, float]
    seed: tuple[int, ...]


def recordings_by_split(manifest: pd.DataFrame, labels: Iterable[str]) -> dict[str, np.ndarray]:
    """Rows of ESC-50 with one of the labels, by split. No source recording is in two splits."""
    splits = [SPLIT_OF_FOLD[fold] for fold in manifest["fold"]]
    kept = one_split_a_group(splits, manifest["source_recording"].tolist())
    kept &= manifest["label"].isin(list(labels)).to_numpy()
    return {split: np.flatnonzero(kept & (np.array(splits) == split)) for split in SPLITS}


def drawn_backgrounds(recordings: np.ndarray, n_files: int, random: np.random.Generator) -> list[tuple[int, ...]]:
    """Draw the rows of ESC-50 for the background of each file, all of them equally often."""
    cards = deck(len(recordings), CLIPS_PER_BACKGROUND * n_files, random)
    rows = [int(recordings[card]) for card in cards]
    return [tuple(rows[first : first + CLIPS_PER_BACKGROUND]) for first in range(0, len(rows), CLIPS_PER_BACKGROUND)]


def parts(scene: Scene, sets: Mapping[str, LabelledSet]) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """The background of a file, and its segments with their first samples, before they are mixed."""
    clips = [sets["esc50"].clip(row, SAMPLE_RATE) for row in scene.background]
    ground = background(clips, seconds_to_samples(SECONDS), np.random.default_rng(scene.seed))
    placed = []
    for start, segment in zip(scene.starts, scene.placed):
        samples = sets[segment.source].clip(segment.row, SAMPLE_RATE)[segment.start : segment.end]
        placed.append((start, faded(samples, *scene.fades)))
    return ground, placed


def render(scene: Scene, sets: Mapping[str, LabelledSet]) -> np.ndarray:
    """Mix a file, ``(n_samples,)`` float32 at 16 kHz."""
    ground, placed = parts(scene, sets)
    return delivered(mixed(ground, placed, scene.ratio_db), scene.level_db)


def scene_items(split: str, scenes: Iterable[Scene], sets: Mapping[str, LabelledSet]) -> Iterator[Item]:
    """The files of a split, named by number and ratio, with their events in order of time.

    Args:
        split: the split.
        scenes: plans of its files.
        sets: labelled sets by name: ESC-50 and those of the segments.
    """
    recording = sets["esc50"].manifest["source_recording"].to_numpy(str)
    for number, scene in enumerate(scenes):
        in_time = sorted(zip(scene.starts, scene.placed), key=lambda pair: pair[0])
        events = tuple(
            Event(segment.label, samples_to_ms(start), samples_to_ms(start + segment.length))
            for start, segment in in_time
        )
        groups = {segment.group for segment in scene.placed} | {f"esc50:{recording[row]}" for row in scene.background}
        file = f"{split}_{number:03d}_{f'{scene.ratio_db}dB' if events else 'none'}.wav"
        yield Item(file, split, partial(render, scene, sets), events, " ".join(sorted(groups)))
