"""Speaker count: how many people speak at the same time, zero to four? Made like LibriCount.

Each file is four seconds of different speakers over a background from ESC-50, which files without speakers have, too.
The speech of a recording, without the silence around it, is cut to the file's length or placed in the file at random.
Speakers are within ±3 dB, and the background is 15 to 25 dB below. The overall level of each file is drawn
independently, so that more speakers are not louder. No speaker and no recording of a background is in two splits.

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

#: Files with each number of speakers.
FILES = {"train": 72, "valid": 24, "test": 36}

#: Numbers of speakers.
COUNTS = (0, 1, 2, 3, 4)

#: Share of the speakers and of the recordings of backgrounds in each split.
SHARES = {"train": 0.6, "valid": 0.15, "test": 0.25}

#: Sets of speech, and length of the shortest speech, s: most of the file, so that all speak at the same time.
SPEECH, LEAST_SPEECH = ("read_speech_speakers", "language_id"), 2.5

#: Classes of ESC-50 that are steady and without voices.
BACKGROUNDS = ("airplane", "crickets", "engine", "helicopter", "rain", "sea_waves", "train", "vacuum_cleaner", "wind")

#: Levels in dB: of a speaker, of the background, relative to the mean speaker, and of a file, relative to full scale.
SPEAKER_DB, BACKGROUND_DB, FILE_DB = (-3.0, 3.0), (-25.0, -15.0), (-35.0, -20.0)

SEED = 20190417


@dataclass(frozen=True)
class Excerpt:
    """Part of a clip.

    Attributes:
        labelled: the set of the clip.
        row: the clip's row.
        start: first sample.
        end: the sample after the last.
        group: the speaker or recording.
    """

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
    """The plan of one file.

    Attributes:
        speakers: speech of different speakers.
        background: the background.
        seed: seed of levels and positions.
    """

    speakers: tuple[Excerpt, ...]
    background: Excerpt
    seed: tuple[int, ...]

    def parts(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """The background and each speaker's part of the mixture, ``(n_samples,)`` each, before the file's level is
        set.
        """
        random = np.random.default_rng(self.seed)
        n_samples = levels.seconds_to_samples(SECONDS)
        noise = self.background.samples()
        first = int(random.integers(len(noise) - n_samples + 1))
        ground = levels.at_level(noise[first : first + n_samples], random.uniform(*BACKGROUND_DB))
        voices = []
        for speaker in self.speakers:
            speech = speaker.samples()
            # Longer speech is cut within words; without a fade the click would give it away.
            cut = int(random.integers(max(0, len(speech) - n_samples) + 1))
            speech = mixing.faded(speech[cut : cut + n_samples], 0.01, 0.01)
            voice = np.zeros(n_samples, np.float32)
            start = int(random.integers(n_samples - len(speech) + 1))
            voice[start : start + len(speech)] = levels.at_level(speech, random.uniform(*SPEAKER_DB))
            voices.append(voice)
        return ground, voices

    def samples(self) -> np.ndarray:
        """The file, ``(n_samples,)`` float32."""
        ground, voices = self.parts()
        level = np.random.default_rng((*self.seed, 1)).uniform(*FILE_DB)
        return levels.delivered(ground + sum(voices, np.zeros_like(ground)), level)


@dataclass(frozen=True)
class Pools:
    """The speech and backgrounds that each split's files are made of.

    Attributes:
        sources: the folder of labelled sets.
    """

    sources: Path

    @cached_property
    def speakers(self) -> dict[str, list[list[Excerpt]]]:
        """The speech that is long enough, by split and set."""
        clips, strata = [], []
        for name in SPEECH:
            labelled = load_set(self.sources / f"{name}.tar")
            for row, speaker in enumerate(labelled.manifest["speaker"]):
                start, end = levels.active_run(labelled.clip(row, SAMPLE_RATE), range_db=30.0, least_seconds=0.05)
                if end - start >= levels.seconds_to_samples(LEAST_SPEECH):
                    clips.append(Excerpt(labelled, row, start, end, f"{name}:{speaker}"))
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
    def backgrounds(self) -> dict[str, list[Excerpt]]:
        """The clips that can be a background, by split."""
        labelled = load_set(self.sources / "esc50.tar")
        manifest = labelled.manifest[labelled.manifest["label"].isin(BACKGROUNDS)]
        clips = []
        for row, recording in zip(manifest.index, manifest["source_recording"]):
            samples = labelled.clip(row, SAMPLE_RATE)
            # Many clips are padded with zeros; only those that sound from beginning to end are used.
            quiet = np.percentile(levels.frame_levels(samples), 2) < levels.active_level(samples) - 25
            if not quiet:
                clips.append(Excerpt(labelled, row, 0, len(samples), f"esc50:{recording}"))
        labels = manifest["label"].to_dict()
        splits = deal([clip.group for clip in clips], [labels[clip.row] for clip in clips], SHARES, SEED)
        return {split: [clip for clip, its in zip(clips, splits) if its == split] for split in SHARES}


def _distinct(pools: list[list[Excerpt]], number: int, random: np.random.Generator) -> tuple[Excerpt, ...]:
    """Speech of ``number`` different speakers; each comes from either set with equal probability."""
    chosen: dict[str, Excerpt] = {}
    while len(chosen) < number:
        pool = pools[int(random.integers(len(pools)))]
        # A speaker with many recordings is no more likely than one with few.
        group = str(random.choice(sorted({clip.group for clip in pool} - chosen.keys())))
        recordings = [clip for clip in pool if clip.group == group]
        chosen[group] = recordings[int(random.integers(len(recordings)))]
    return tuple(chosen.values())


def mixtures(sources: Path) -> Iterator[tuple[str, str, Mixture]]:
    """Split, name and plan of each file, the same at every call."""
    pools = Pools(sources)
    for place, split in enumerate(SHARES):
        random = np.random.default_rng((SEED, place))
        grounds = placing.deck(len(pools.backgrounds[split]), FILES[split] * len(COUNTS), random)
        for n_speakers in COUNTS:
            for number in range(FILES[split]):
                speakers = _distinct(pools.speakers[split], n_speakers, random)
                background = pools.backgrounds[split][grounds.pop()]
                seed = (SEED, place, n_speakers, number)
                yield split, f"{split}_{n_speakers}_{number:03d}.wav", Mixture(speakers, background, seed)


def items(sources: Path) -> Iterator[Item]:
    """Yield the files.

    Args:
        sources: the folder of labelled sets.
    """
    for split, file, mixture in mixtures(sources):
        groups = " ".join(clip.group for clip in (*mixture.speakers, mixture.background))
        yield Item(file, split, partial(Mixture.samples, mixture), (str(len(mixture.speakers)),), groups)


TASK = Task(
    name="speaker_count",
    title="speaker count",
    domain="speech",
    description="none to four speakers at once, within ±3 dB, over sounds 15 to 25 dB below; split by speaker",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=SECONDS,
    evaluation=("top1_acc",),
    items=items,
    sources=(*SPEECH, "esc50"),
)
