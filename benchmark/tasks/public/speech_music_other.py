"""Speech, music, or neither? Files of 1.9 s from six sets.

Speech is read speech in many languages. Music is a phrase of recorded notes on a beat, by one to three instruments with
or without drums, or by drums alone. Other is an environmental sound or a voice without words. Each file is the loudest
segment of its recording over the same faint noise, at a level that is drawn independently: no label has silence at the
end, or is louder than another. No speaker, recording, note or stroke is in two splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.scenes import levels, mixing, placing
from benchmark.tasks.splitting import deal, need_columns
from benchmark.tasks.task import Item, Task

#: Length of the shortest voices without words.
SECONDS = 1.9

#: Files with each label.
FILES = {"train": 180, "valid": 60, "test": 60}

#: Column of each set whose values must not be in two splits.
GROUPS = {
    "read_speech_speakers": "speaker",
    "language_id": "speaker",
    "vocal_bursts": "speaker",
    "esc50": "source_recording",
    "orchestral_notes": "note",
    "drum_strokes": "stroke",
}

#: Sets of recordings by label.
RECORDINGS = {"speech": ("read_speech_speakers", "language_id"), "other": ("esc50", "vocal_bursts")}

#: Classes of ESC-50 that may count as music.
NOT_OTHER = ("church_bells",)

#: Range of a file's level, dB relative to full scale, and level of the noise, dB relative to the file.
FILE_DB, NOISE_DB = (-35.0, -20.0), -45.0

#: Least peak of a note or stroke: softer ones have only a few steps of 16 bits.
LEAST_PEAK = 0.01

SEED = 20221103

#: Rows of a set with their groups.
Rows = list[tuple[int, str]]


@dataclass(frozen=True)
class Recording:
    """The loudest segment of a clip."""

    labelled: LabelledSet
    row: int

    def samples(self) -> np.ndarray:
        """``(n_samples,)`` float32."""
        clip, n_samples = self.labelled.clip(self.row, SAMPLE_RATE), levels.seconds_to_samples(SECONDS)
        energy = np.concatenate([[0.0], np.cumsum(clip.astype(np.float64) ** 2)])
        first = int(np.argmax(energy[n_samples:] - energy[:-n_samples]))
        return mixing.faded(clip[first : first + n_samples], 0.01, 0.01)


@dataclass(frozen=True)
class Phrase:
    """Notes and strokes of a phrase: set, row, first sample and level in dB of each."""

    played: tuple[tuple[LabelledSet, int, int, float], ...]

    def samples(self) -> np.ndarray:
        """``(n_samples,)`` float32."""
        n_samples = levels.seconds_to_samples(SECONDS)
        phrase = np.zeros(n_samples, np.float32)
        for labelled, row, start, decibels in self.played:
            clip = levels.at_level(labelled.clip(row, SAMPLE_RATE)[: n_samples - start], decibels)
            phrase[start : start + len(clip)] += mixing.faded(clip, 0.0, 0.02)
        return mixing.faded(phrase, 0.01, 0.01)


def finished(made: Recording | Phrase, seed: tuple[int, ...]) -> np.ndarray:
    """A file: a recording or phrase over noise, at the file's level.

    Returns:
        ``(n_samples,)`` float32.
    """
    random = np.random.default_rng(seed)
    sound = levels.at_level(made.samples(), 0.0)
    noise = mixing.pink_noise(len(sound), random) * np.float32(10 ** (NOISE_DB / 20))
    return levels.delivered(sound + noise, random.uniform(*FILE_DB))


def rows_by_split(labelled: LabelledSet, usable: np.ndarray) -> dict[str, Rows]:
    """The usable rows of a set by split: groups stay whole, and labels are spread as evenly as groups allow."""
    column = GROUPS[labelled.name]
    strata = "label" if labelled.name != "read_speech_speakers" else "gender"
    need_columns(labelled, column, strata)
    rows = np.flatnonzero(usable)
    manifest: pd.DataFrame = labelled.manifest.iloc[rows]
    groups = [f"{labelled.name}:{group}".replace(" ", "_") for group in manifest[column]]
    splits = deal(groups, list(manifest[strata]), FILES, SEED)
    return {
        split: [(int(row), group) for row, group, its in zip(rows, groups, splits) if its == split] for split in FILES
    }


def usable_rows(labelled: LabelledSet) -> np.ndarray:
    """Find the clips of a set that can be used: notes and strokes that are loud enough, other clips that are long
    enough.

    Returns:
        ``(n_clips,)`` bool.
    """
    if labelled.name in ("orchestral_notes", "drum_strokes"):
        peaks = np.array([np.abs(labelled.clip(row)).max() for row in range(len(labelled))])
        return peaks >= LEAST_PEAK
    usable = labelled.lengths >= SECONDS * labelled.sample_rate
    if labelled.name == "esc50":
        usable &= ~labelled.manifest["label"].isin(NOT_OTHER).to_numpy()
    return usable


def phrase(
    notes: LabelledSet, note_rows: Rows, drums: LabelledSet, drum_rows: Rows, random: np.random.Generator
) -> tuple[Phrase, list[str]]:
    """Compose a random phrase.

    Args:
        notes: the set of notes.
        note_rows: rows of notes that may be played.
        drums: the set of strokes.
        drum_rows: rows of strokes that may be played.
        random: the random generator.

    Returns:
        The phrase, and the groups of its notes and strokes.
    """
    n_samples = levels.seconds_to_samples(SECONDS)
    beat = int(random.uniform(0.16, 0.4) * SAMPLE_RATE)
    # 20 % of the phrases are drums alone, 25 % notes with drums, the others notes alone.
    kind = random.choice(["drums", "both", "notes"], p=[0.2, 0.25, 0.55])
    played: list[tuple[LabelledSet, int, int, float]] = []
    groups: list[str] = []

    def play(labelled: LabelledSet, rows: Rows, every: int, chance: float) -> None:
        for start in range(0, n_samples - SAMPLE_RATE // 20, every):
            # The first one is always played, so that no file begins with silence.
            if start == 0 or random.random() < chance:
                row, group = rows[int(random.integers(len(rows)))]
                played.append((labelled, row, start, random.uniform(-6, 0)))
                groups.append(group)

    if kind != "drums":
        instrument_of = notes.manifest["label"].to_numpy(str)
        instruments = sorted({instrument_of[row] for row, _ in note_rows})
        for instrument in random.choice(instruments, int(random.integers(1, 4)), replace=False):
            of_instrument = [(row, group) for row, group in note_rows if instrument_of[row] == instrument]
            play(notes, of_instrument, beat * int(random.integers(1, 3)), 0.8)
    if kind != "notes":
        microphone_of = drums.manifest["microphone"].to_numpy(str)
        microphone = random.choice(sorted(set(microphone_of)))
        by_microphone = [(row, group) for row, group in drum_rows if microphone_of[row] == microphone]
        play(drums, by_microphone, beat, 0.9 if kind == "drums" else 0.5)
    return Phrase(tuple(played)), groups


def items(sources: Path) -> Iterator[Item]:
    """Yield the files.

    Args:
        sources: the folder of labelled sets.
    """
    sets = {name: load_set(sources / f"{name}.tar") for name in GROUPS}
    rows = {name: rows_by_split(labelled, usable_rows(labelled)) for name, labelled in sets.items()}
    for place, split in enumerate(FILES):
        random = np.random.default_rng((SEED, place))
        made: dict[str, list[tuple[Recording | Phrase, list[str]]]] = {
            label: recordings(sets, {name: rows[name][split] for name in names}, FILES[split], random)
            for label, names in RECORDINGS.items()
        }
        made["music"] = [
            phrase(
                sets["orchestral_notes"],
                rows["orchestral_notes"][split],
                sets["drum_strokes"],
                rows["drum_strokes"][split],
                random,
            )
            for _ in range(FILES[split])
        ]
        for kind, label in enumerate(sorted(made)):
            for number, (sound, groups) in enumerate(made[label]):
                samples = partial(finished, sound, (SEED, place, kind, number))
                group = " ".join(sorted(set(groups)))
                yield Item(f"{split}_{label}_{number:03d}.wav", split, samples, (label,), group)


def recordings(
    sets: Mapping[str, LabelledSet], rows: Mapping[str, Rows], number: int, random: np.random.Generator
) -> list[tuple[Recording | Phrase, list[str]]]:
    """Draw recordings, the same number from each set, with no repetition while others are left.

    Returns:
        ``number`` recordings with their groups.
    """
    drawn: list[tuple[Recording | Phrase, list[str]]] = []
    shares: Sequence[int] = [number * (i + 1) // len(rows) - number * i // len(rows) for i in range(len(rows))]
    for name, share in zip(rows, shares):
        for card in placing.deck(len(rows[name]), share, random):
            row, group = rows[name][card]
            drawn.append((Recording(sets[name], row), [group]))
    return drawn


TASK = Task(
    name="speech_music_other",
    title="speech/music",
    domain="cross",
    description="speech, phrases of recorded notes and drums, or other sounds; no source of either in two splits",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=SECONDS,
    evaluation=("top1_acc",),
    items=items,
    sources=tuple(GROUPS),
)
