"""How many speak at the same time: none to four, made as LibriCount is.

Each file is four seconds of as many talkers, all different, over a background out of ESC-50 that every file has, those
without a talker too. A talker is a recording's speech without the silence around it, cut to the file or placed in
it at random. Talkers are within ±3 dB, and the background 15 to 25 dB below that; a file's overall level is drawn by
itself, so that more talkers are not louder. No talker and no recorded background is in two splits.

Source:
    Stöter et al., CountNet: Estimating the Number of Concurrent Speakers Using Supervised Learning (IEEE/ACM TASLP
    2019), which LibriCount comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.scenes import levels, mixing, placing
from benchmark.tasks.splitting import deal
from benchmark.tasks.task import Item, Task

SECONDS = 4.0

#: Files of each number of talkers.
FILES = {"train": 72, "valid": 24, "test": 36}

TALKERS = (0, 1, 2, 3, 4)

#: The part of the talkers, and of the recordings of backgrounds, that each split has.
SHARES = {"train": 0.6, "valid": 0.15, "test": 0.25}

#: Sets of speech, and seconds that a talker must speak at least: most of the file, or it isn't the same time.
SPEECH, LEAST_SPEECH = ("read_speech_speakers", "language_id"), 2.5

#: Sounds of ESC-50 that go on evenly and have no voices.
BACKGROUNDS = ("airplane", "crickets", "engine", "helicopter", "rain", "sea_waves", "train", "vacuum_cleaner", "wind")

#: Decibels: a talker's level among the others', the background's below a talker's, and a file's (of full scale).
TALKER_DB, BACKGROUND_DB, FILE_DB = (-3.0, 3.0), (-25.0, -15.0), (-35.0, -20.0)

SEED = 20190417


@dataclass(frozen=True)
class Clip:
    """A clip of a set from ``start`` to ``end`` (samples), and whose it is."""

    labelled: LabelledSet
    row: int
    start: int
    end: int
    group: str

    def samples(self) -> np.ndarray:
        """``(end - start,)`` float32."""
        return self.labelled.clip(self.row, SAMPLE_RATE)[self.start : self.end]


@dataclass(frozen=True)
class Mixture:
    """One file: its talkers and its background; everything else comes from the seed."""

    talkers: tuple[Clip, ...]
    background: Clip
    seed: tuple[int, ...]

    def parts(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """The background and each talker as they are added, each ``(n_samples,)``, before the file's own level."""
        random = np.random.default_rng(self.seed)
        n_samples = levels.seconds_to_samples(SECONDS)
        noise = self.background.samples()
        first = int(random.integers(len(noise) - n_samples + 1))
        ground = levels.at_level(noise[first : first + n_samples], random.uniform(*BACKGROUND_DB))
        voices = []
        for talker in self.talkers:
            speech = talker.samples()
            # Whoever speaks for longer than the file is cut out of the middle of a word; a click would tell.
            cut = int(random.integers(max(0, len(speech) - n_samples) + 1))
            speech = mixing.faded(speech[cut : cut + n_samples], 0.01, 0.01)
            voice = np.zeros(n_samples, np.float32)
            start = int(random.integers(n_samples - len(speech) + 1))
            voice[start : start + len(speech)] = levels.at_level(speech, random.uniform(*TALKER_DB))
            voices.append(voice)
        return ground, voices

    def samples(self) -> np.ndarray:
        """The file, ``(n_samples,)`` float32."""
        ground, voices = self.parts()
        level = np.random.default_rng((*self.seed, 1)).uniform(*FILE_DB)
        return levels.delivered(ground + sum(voices, np.zeros_like(ground)), level)


@dataclass(frozen=True)
class Pools:
    """What each split's files are made of.

    Attributes:
        sources: the folder of labelled sets.
    """

    sources: Path

    @cached_property
    def talkers(self) -> dict[str, list[list[Clip]]]:
        """For each split and set of speech its clips, those that are long enough."""
        clips, strata = [], []
        for name in SPEECH:
            labelled = load_set(self.sources / f"{name}.tar")
            for row, speaker in enumerate(labelled.manifest["speaker"]):
                start, end = levels.active_run(labelled.clip(row, SAMPLE_RATE), range_db=30.0, least_seconds=0.05)
                if end - start >= levels.seconds_to_samples(LEAST_SPEECH):
                    clips.append(Clip(labelled, row, start, end, f"{name}:{speaker}"))
                    strata.append(name)
        splits = deal([clip.group for clip in clips], strata, SHARES, SEED)
        return {
            split: [
                [clip for clip, its, stratum in zip(clips, splits, strata) if (its, stratum) == (split, name)]
                for name in SPEECH
            ]
            for split in SHARES
        }

    @cached_property
    def backgrounds(self) -> dict[str, list[Clip]]:
        """For each split the clips that can be a background."""
        labelled = load_set(self.sources / "esc50.tar")
        manifest = labelled.manifest[labelled.manifest["label"].isin(BACKGROUNDS)]
        clips = []
        for row, recording in zip(manifest.index, manifest["source_recording"]):
            samples = labelled.clip(row, SAMPLE_RATE)
            # Many clips are padded with zeros: what is used sounds from the beginning to the end.
            quiet = np.percentile(levels.frame_levels(samples), 2) < levels.active_level(samples) - 25
            if not quiet:
                clips.append(Clip(labelled, row, 0, len(samples), f"esc50:{recording}"))
        labels = manifest["label"].to_dict()
        splits = deal([clip.group for clip in clips], [labels[clip.row] for clip in clips], SHARES, SEED)
        return {split: [clip for clip, its in zip(clips, splits) if its == split] for split in SHARES}


def _distinct(pools: list[list[Clip]], number: int, random: np.random.Generator) -> tuple[Clip, ...]:
    """Clips of so many talkers, each from either set with equal chance, no talker twice."""
    chosen: dict[str, Clip] = {}
    while len(chosen) < number:
        pool = pools[int(random.integers(len(pools)))]
        # A talker with many recordings is no more likely than one with few.
        group = str(random.choice(sorted({clip.group for clip in pool} - chosen.keys())))
        recordings = [clip for clip in pool if clip.group == group]
        chosen[group] = recordings[int(random.integers(len(recordings)))]
    return tuple(chosen.values())


def mixtures(sources: Path) -> Iterator[tuple[str, str, Mixture]]:
    """Split, file name and what each file is made of; the same at every call."""
    pools = Pools(sources)
    for place, split in enumerate(SHARES):
        random = np.random.default_rng((SEED, place))
        grounds = placing.deck(len(pools.backgrounds[split]), FILES[split] * len(TALKERS), random)
        for n_talkers in TALKERS:
            for number in range(FILES[split]):
                talkers = _distinct(pools.talkers[split], n_talkers, random)
                background = pools.backgrounds[split][grounds.pop()]
                seed = (SEED, place, n_talkers, number)
                yield split, f"{split}_{n_talkers}_{number:03d}.wav", Mixture(talkers, background, seed)


def items(sources: Path) -> Iterator[Item]:
    """The files, from the folder of labelled sets."""
    for split, file, mixture in mixtures(sources):
        groups = " ".join(clip.group for clip in (*mixture.talkers, mixture.background))
        yield Item(file, split, partial(Mixture.samples, mixture), (str(len(mixture.talkers)),), groups)


TASK = Task(
    name="speaker_count",
    title="talkers",
    domain="speech",
    description="none to four talkers at once, within ±3 dB, over sounds 15 to 25 dB below; split by talker",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=SECONDS,
    evaluation=("top1_acc",),
    items=items,
    sources=(*SPEECH, "esc50"),
)
