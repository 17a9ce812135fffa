"""HEAR's own small data as tasks: what HEAR's preparation fetches in its small mode, in the layouts of the full tasks.

They have far too few clips for a claim about a model. They try the way of HEAR's data from files to scores: splits and
folds, one label and several, counts, and each of heareval's scores of clips. A split may lack labels. HEAR has no small
data without a large download for its two event tasks, so none is among them; the suite ``mini`` has one.

Source:
    https://github.com/hearbenchmark/hear-preprocess: durations, numbers of folds and scores.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.public.labelled import clip_of
from benchmark.tasks.splitting import deal, need_columns
from benchmark.tasks.task import Domain, Item, Task

#: Name of the labelled set.
SET = "hear_small"
TRAINVALTEST = ("train", "valid", "test")
ALL_SCORES = ("top1_acc", "mAP", "d_prime", "aucroc")
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


def _task(
    name: str,
    of: str,
    title: str,
    domain: Domain,
    seconds: float,
    splits: tuple[str, ...],
    layout: Layout,
    description: str,
    evaluation: tuple[str, ...] = ALL_SCORES,
    **others: Any,
) -> Task:
    return Task(
        name=f"small_{name}",
        title=f"{title} (small)",
        domain=domain,
        description=f"{description} From HEAR's small data: too few clips for a claim.",
        embedding_type="scene",
        prediction_type="multilabel" if others.get("several") else "multiclass",
        splits=splits,
        sample_duration=seconds,
        evaluation=evaluation,
        items=SmallClips(of, layout, **others),
        sources=(SET,),
        sparse=True,
    )


_FIREARMS = tuple(f"fold_fid{number}" for number in range(1, 8))
_QUEEN = ("aucroc", "mAP", "d_prime", "top1_acc")
_BY_MAP = ("mAP", "d_prime", "aucroc", "top1_acc")

TASKS = (
    _task(
        "speech_commands",
        "speech_commands",
        "Speech commands",
        "speech",
        1.0,
        TRAINVALTEST,
        commands,
        "Which of 10 commands, silence or another word.",
        ("top1_acc",),
    ),
    _task(
        "spoken_digit",
        "spoken_digit",
        "Spoken digits",
        "speech",
        0.56,
        fold_names(5),
        folds(5),
        "Which of 10 digits.",
        ("top1_acc",),
    ),
    _task("crema_d", "crema_d", "CREMA-D", "speech", 2.0, fold_names(5), folds(5), "Which of 6 acted emotions."),
    _task(
        "libricount",
        "libricount",
        "LibriCount",
        "speech",
        2.0,
        fold_names(5),
        folds(5),
        "How many speakers at once, 0 to 10.",
    ),
    _task(
        "vox_lingua",
        "vox_lingua_top10",
        "VoxLingua107 top 10",
        "speech",
        2.0,
        fold_names(5),
        frequent_languages,
        "Which of 10 languages.",
    ),
    _task(
        "vocal_imitation",
        "vocal_imitation",
        "Vocal imitations",
        "speech",
        2.0,
        fold_names(3),
        imitations,
        "Which sound a voice imitates; no sound has two imitations, so nothing can be learnt.",
        _BY_MAP,
    ),
    _task(
        "esc50",
        "esc50",
        "ESC-50",
        "nonspeech",
        2.0,
        tuple(f"fold_{number}" for number in range(1, 6)),
        own_folds,
        "Which of 14 environmental sounds.",
    ),
    _task(
        "gunshot",
        "gunshot_triangulation",
        "Gunshot triangulation",
        "nonspeech",
        1.5,
        _FIREARMS,
        own_folds,
        "Which of 4 telephones, at different distances, recorded a shot; a firearm is a fold. 40 of HEAR's 88 clips.",
    ),
    _task(
        "beehive_0",
        "beehive_states",
        "Beehive 0",
        "nonspeech",
        2.0,
        TRAINVALTEST,
        hives("hive1"),
        "Whether a hive has its queen; tested on another hive.",
        _QUEEN,
    ),
    _task(
        "beehive_1",
        "beehive_states",
        "Beehive 1",
        "nonspeech",
        2.0,
        TRAINVALTEST,
        hives("hive3"),
        "Whether a hive has its queen; the other hive is tested.",
        _QUEEN,
    ),
    _task(
        "beijing_opera",
        "beijing_opera",
        "Beijing opera",
        "nonspeech",
        2.0,
        fold_names(5),
        folds(5),
        "Which of 4 percussion instruments.",
    ),
    _task(
        "gtzan_genre", "gtzan_genre", "GTZAN genre", "nonspeech", 2.0, fold_names(10), folds(10), "Which of 8 genres."
    ),
    _task(
        "mridangam_stroke",
        "mridangam",
        "Mridangam stroke",
        "nonspeech",
        1.0,
        fold_names(5),
        folds(5),
        "Which of 7 strokes of a drum.",
    ),
    _task(
        "mridangam_tonic",
        "mridangam",
        "Mridangam tonic",
        "nonspeech",
        1.0,
        fold_names(5),
        tonics,
        "Which of 6 tunings of a drum.",
    ),
    _task(
        "fsd50k",
        "fsd50k",
        "FSD50K",
        "cross",
        1.0,
        TRAINVALTEST,
        development,
        "Which kinds of sound, several at once.",
        _BY_MAP,
        several=True,
    ),
    _task(
        "gtzan_music_speech",
        "gtzan_music_speech",
        "GTZAN music/speech",
        "cross",
        2.0,
        fold_names(10),
        folds(10),
        "Whether music or speech.",
    ),
)
