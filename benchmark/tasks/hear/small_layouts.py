"""Which clips of HEAR's small data a task takes, and in which split or fold each of them is.

Source:
    https://github.com/hearbenchmark/hear-preprocess: numbers of folds, labels and what is silence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.public.labelled import clip_of
from benchmark.tasks.splitting import deal, need_columns
from benchmark.tasks.task import Item

#: Name of the labelled set.
SET = "hear_small"
#: The words of Speech Commands' task; other words are one label.
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
#: Number of languages of VoxLingua's task.
LANGUAGES = 10
#: Seconds of the recording of noise that are silence, in the training and in the validation part each.
NOISE_SECONDS = 8

#: Chooses rows of a manifest and adds their ``part``: the split or fold.
Layout = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class SmallClips:
    """The clips of one of HEAR's tasks in the set of small data.

    Attributes:
        task: the task's name in the manifest.
        layout: chooses clips and says in which split or fold each is.
        several: whether clips have several labels, separated by ``|``.
    """

    task: str
    layout: Layout
    several: bool = False

    def __call__(self, sources: Path) -> Iterator[Item]:
        """Yield the files.

        Args:
            sources: the folder of labelled sets.
        """
        labelled = load_set(sources / f"{SET}.tar")
        need_columns(labelled, "file", "task", "label", "split", "fold", "original_file")
        # Some imitations are silent in the first two seconds, all that the small data has of them.
        sounds = np.array([labelled.samples[start:end].any() for start, end in pairwise(labelled.offsets)])
        rows = self.layout(labelled.manifest[(labelled.manifest["task"] == self.task) & sounds].copy())
        for place, row in rows.iterrows():
            name = Path(row["file"]).stem
            labels = tuple(row["label"].split("|")) if self.several else (row["label"],)
            if row["label"] == "_background_noise_":
                yield from _noise(labelled, int(place), name)
            else:
                yield Item(f"{name}.wav", row["part"], clip_of(labelled, int(place)), labels, name)


def _noise(labelled: LabelledSet, row: int, name: str) -> Iterator[Item]:
    """Seconds of a recording of noise as silence: the first ones to train, the last ones for validation.

    HEAR puts this recording into its validation part. It is the only one here, and training needs silence, too.
    """

    def second(number: int) -> np.ndarray:
        samples: np.ndarray = labelled.clip(row, SAMPLE_RATE)
        start = number * SAMPLE_RATE if number >= 0 else len(samples) + number * SAMPLE_RATE
        return samples[start : start + SAMPLE_RATE]

    for number in range(NOISE_SECONDS):
        yield Item(f"{name}-first-{number}.wav", "train", partial(second, number), ("_silence_",), f"{name}-first")
        last = partial(second, number - NOISE_SECONDS)
        yield Item(f"{name}-last-{number}.wav", "valid", last, ("_silence_",), f"{name}-last")


def folds(count: int) -> Layout:
    """Deal clips out to folds so that each has the same mixture of labels, as far as their numbers allow."""

    def layout(rows: pd.DataFrame) -> pd.DataFrame:
        dealt = deal(list(rows["file"]), list(rows["label"]), dict.fromkeys(fold_names(count), 1.0))
        return rows.assign(part=dealt)

    return layout


def fold_names(count: int) -> tuple[str, ...]:
    """HEAR's names of folds.

    Example:
        >>> fold_names(3)
        ('fold00', 'fold01', 'fold02')
    """
    return tuple(f"fold{number:02d}" for number in range(count))


def own_folds(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the folds that the clips have."""
    return rows.assign(part="fold_" + rows["fold"])


def hives(train: str) -> Layout:
    """Train on one hive and test on the other; a quarter of the first is for validation."""

    def layout(rows: pd.DataFrame) -> pd.DataFrame:
        first = rows[rows["split"] == train]
        dealt = deal(list(first["file"]), list(first["label"]), {"train": 0.75, "valid": 0.25})
        return pd.concat([first.assign(part=dealt), rows[rows["split"] != train].assign(part="test")])

    return layout


def development(rows: pd.DataFrame) -> pd.DataFrame:
    """FSD50K's parts: the development set's own training and validation parts, and the evaluation set."""
    return rows.assign(part=rows["fold"].replace({"val": "valid", "": "test"}))


def commands(rows: pd.DataFrame) -> pd.DataFrame:
    """Speech Commands: ten words, other words as one label, and a tenth of the speakers for validation."""
    known = (*WORDS, "_silence_", "_background_noise_")
    labels = rows["label"].where(rows["label"].isin(known), "_unknown_")
    validated = rows["original_file"].map(validates) & (rows["split"] == "train")
    return rows.assign(label=labels, part=rows["split"].mask(validated, "valid"))


def validates(file: str) -> bool:
    """Whether a recording of Speech Commands is in its published validation part.

    The part follows from a hash of the speaker, as the set's description says. The words for testing come with it.

    Example:
        >>> validates("0a2b400e_nohash_0.wav"), validates("211b928a_nohash_0.wav")
        (False, False)
    """
    speaker = re.sub(r"_nohash_.*$", "", file)
    largest = (1 << 27) - 1
    percentage = int(hashlib.sha1(speaker.encode(), usedforsecurity=False).hexdigest(), 16) % (largest + 1)
    return percentage * 100.0 / largest < 10


def frequent_languages(rows: pd.DataFrame) -> pd.DataFrame:
    """The most frequent languages, the first by name of equally frequent ones, in five folds."""
    counts = rows["label"].value_counts()
    kept = sorted(counts.index, key=lambda label: (-counts[label], label))[:LANGUAGES]
    return folds(5)(rows[rows["label"].isin(kept)])


def imitations(rows: pd.DataFrame) -> pd.DataFrame:
    """The imitations, whose names start with the number of the sound, in three folds.

    The original recording among them is left out.
    """
    return folds(3)(rows[rows["original_file"].str.match(r"[0-9]{3}[A-Z]")])


def tonics(rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the tonic instead of the stroke."""
    return folds(5)(rows.assign(label=rows["fold"]))
