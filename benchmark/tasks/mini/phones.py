"""Vowels and consonants in the recordings of eight Festival voices: Czech, Italian and Finnish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmark.datasets.festival_voices import FestivalVoice
from benchmark.datasets.packages import fetch_packages, package_files
from benchmark.tasks.scenes.levels import delivered
from benchmark.tasks.task import Item, Task

#: Length of each file, s; the longest units are slightly longer.
DURATION = 0.25

#: Level of each unit, dB relative to full scale. The recordings' own levels would reveal the speaker.
LEVEL = -23.0

#: The speakers of each fold, one Czech and one other; no speaker is in two folds.
FOLDS = {
    "fold0": ("festvox-czech-dita", "festvox-itapc16k"),
    "fold1": ("festvox-czech-krb", "festvox-italp16k"),
    "fold2": ("festvox-czech-machac", "festvox-suopuhe-lj"),
    "fold3": ("festvox-czech-ph", "festvox-suopuhe-mv"),
}

VOICES = tuple(voice for voices in FOLDS.values() for voice in voices)

#: Names of the five vowels that the languages share; stressed or long vowels only if there is no other.
VOWELS = {
    "a": ("a", "a1", "a:"),
    "e": ("e", "e1", "e:"),
    "i": ("i", "i1", "i:"),
    "o": ("o", "o1", "o:"),
    "u": ("u", "u1", "u:"),
}

#: Consonants that all languages have.
CONSONANTS = ("p", "t", "k", "b", "d", "g", "m", "n", "f", "v", "s", "l", "r", "j")


def fetch(folder: Path, progress: bool = False) -> None:
    """Download the voices' packages to a folder (see :func:`benchmark.datasets.packages.fetch_packages`)."""
    fetch_packages(folder, VOICES, progress)


def voice_of(name: str, folder: Path) -> FestivalVoice:
    """The recordings in one of the packages.

    Raises:
        ValueError: if the package does not contain exactly one voice.
    """
    files = list(package_files(name, folder, lambda path: path.endswith(".group")))
    if len(files) != 1:
        raise ValueError(f"{name}: expected one grouped diphone index in the package, found {len(files)}")
    return FestivalVoice(files[0][0], files[0][1])


def level_recording(voice: FestivalVoice, unit: str) -> np.ndarray:
    """A unit at the level of all units."""
    return delivered(voice.recording(unit), LEVEL)


def units_of(voice: FestivalVoice, vowel_first: bool) -> Iterator[tuple[str, str, str]]:
    """Name, consonant and vowel of the voice's units that join a consonant and a vowel."""
    for consonant in CONSONANTS:
        for vowel, names in VOWELS.items():
            candidates = [f"{name}-{consonant}" if vowel_first else f"{consonant}-{name}" for name in names]
            found = next((unit for unit in candidates if unit in voice.units), None)
            if found is not None:
                yield found, consonant, vowel


def _file(name: str, consonant: str, vowel: str) -> str:
    return f"{name.removeprefix('festvox-')}_{consonant}{vowel}.wav"


def _vowels(folder: Path) -> Iterator[Item]:
    """Units from the middle of a vowel to the consonant that follows."""
    yield from _by_speaker(folder, True, lambda consonant, vowel: vowel)


def _consonants(folder: Path) -> Iterator[Item]:
    """Units from the middle of a consonant to the vowel that follows."""
    yield from _by_speaker(folder, False, lambda consonant, vowel: consonant)


def _by_speaker(folder: Path, vowel_first: bool, label: Callable[[str, str], str]) -> Iterator[Item]:
    for fold, names in FOLDS.items():
        for name in names:
            voice = voice_of(name, folder)
            for unit, consonant, vowel in units_of(voice, vowel_first):
                samples = partial(level_recording, voice, unit)
                yield Item(_file(name, consonant, vowel), fold, samples, (label(consonant, vowel),), name)


TASKS = (
    Task(
        name="mini_vowels",
        title="vowels",
        domain="speech",
        description="five vowels, cut from words by eight speakers of Czech, Italian and Finnish, split by speaker",
        embedding_type="scene",
        prediction_type="multiclass",
        splits=tuple(FOLDS),
        sample_duration=DURATION,
        evaluation=("top1_acc",),
        items=_vowels,
        sources=VOICES,
    ),
    Task(
        name="mini_consonants",
        title="consonants",
        domain="speech",
        description="fourteen consonants, cut from words by eight speakers of three languages, split by speaker",
        embedding_type="scene",
        prediction_type="multiclass",
        splits=tuple(FOLDS),
        sample_duration=DURATION,
        evaluation=("top1_acc",),
        items=_consonants,
        sources=VOICES,
    ),
)
