"""Labels that exist under several conditions (sets, microphones, speakers, dynamics, ages).

Labels must mean the same under every condition. So the emotions of the vocal bursts are not matched with classes of
ESC-50, and the digits' six speakers are not part of the gender transfer, since their genders are not stated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet, column

#: Digits as Speech Commands spells them in the names of its files of words other than the twelve.
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

#: Dynamics of the notes by loudness.
DYNAMICS = {
    "pianissimo": "soft",
    "piano": "soft",
    "mezzo-piano": "middle",
    "mezzo-forte": "middle",
    "forte": "loud",
    "fortissimo": "loud",
}


@dataclass(frozen=True)
class Clips:
    """Clips under one condition.

    Attributes:
        source: the labelled set.
        rows: ``(n,)`` positions in it.
        labels: ``(n,)``.
        groups: ``(n,)``; a group is never both trained and tested on, under any condition.
    """

    source: str
    rows: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class Transfer:
    """A classification task under several conditions.

    Attributes:
        name: its name.
        title: short heading.
        sources: the labelled sets that it needs.
        conditions: makes the clips of each condition, possibly of several sets, from the sets.
        apart: returns the parts of a condition by its name; conditions with a common part are not tested on each other.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    conditions: Callable[[dict[str, LabelledSet]], dict[str, list[Clips]]]
    apart: Callable[[str], set[str]] | None = None


def _clips(labelled: LabelledSet, rows: np.ndarray, labels: Sequence[str] | np.ndarray, group: str) -> Clips:
    groups = np.array([f"{labelled.name}/{each}" for each in column(labelled, group)[rows]])
    return Clips(labelled.name, rows, np.asarray(labels), groups)


def _by(labelled: LabelledSet, condition: np.ndarray, labels: np.ndarray, group: str) -> dict[str, list[Clips]]:
    """Make a condition for each value of ``condition``; clips without a value or label are left out."""
    result = {}
    for name in dict.fromkeys(condition):
        rows = np.flatnonzero((condition == name) & (labels != ""))
        if name:
            result[str(name)] = [_clips(labelled, rows, labels[rows], group)]
    return result


def _digits(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    spoken, commands = sets["spoken_digits"], sets["speech_commands_12"]
    words = pd.Series(column(commands, "file")).str.extract(r"^_unknown__([a-z]+)_")[0].fillna("").to_numpy(str)
    rows = np.flatnonzero(np.isin(words, DIGITS))
    labels = [str(DIGITS.index(word)) for word in words[rows]]
    return {
        "spoken digits": [_clips(spoken, np.arange(len(spoken)), column(spoken, "label"), "speaker")],
        "speech commands": [_clips(commands, rows, labels, "speaker")],
    }


def _digit_speakers(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    spoken = sets["spoken_digits"]
    return _by(spoken, column(spoken, "speaker"), column(spoken, "label"), "file")


def _gender(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    read, many = sets["read_speech_speakers"], sets["language_id"]
    gender = {"male": "m", "female": "f"}
    labels = np.array([gender.get(each, "") for each in column(many, "gender")])
    rows = np.flatnonzero(labels != "")
    by_age = _by(read, column(read, "age_group"), column(read, "gender"), "speaker")
    return {
        **{f"read speech, {'children' if age == 'child' else 'adults'}": clips for age, clips in by_age.items()},
        "Common Voice": [_clips(many, rows, labels[rows], "speaker")],
    }


def _age(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    read = sets["read_speech_speakers"]
    gender = np.array([{"f": "female", "m": "male"}.get(each, "") for each in column(read, "gender")])
    return _by(read, gender, column(read, "age_group"), "speaker")


def _microphones(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    drums = sets["drum_strokes"]
    return _by(drums, column(drums, "microphone"), column(drums, "label"), "stroke")


def _dynamics(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    notes = sets["orchestral_notes"]
    dynamics = np.array([DYNAMICS.get(each, "") for each in column(notes, "dynamics")])
    found = _by(notes, dynamics, column(notes, "label"), "note")
    return {name: found[name] for name in ("soft", "middle", "loud") if name in found}


#: Sets of speech and of other sounds for detection, with their names and groups.
SPEECH = {
    "spoken_digits": ("digits", "speaker"),
    "speech_commands_12": ("keywords", "speaker"),
    "language_id": ("languages", "speaker"),
    "read_speech_speakers": ("read speech", "speaker"),
}
OTHER = {
    "esc50": ("ESC-50", "source_recording"),
    "orchestral_notes": ("notes", "note"),
    "drum_strokes": ("drums", "stroke"),
}

#: ESC-50's classes of voices, which are not examples of sounds other than speech.
VOICES = ("crying_baby", "laughing", "sneezing", "coughing", "breathing", "snoring")


def _detection(sets: dict[str, LabelledSet]) -> dict[str, list[Clips]]:
    found = {}
    for speech, (speech_name, speaker) in SPEECH.items():
        silent = sets[speech].manifest.get("label", pd.Series("", range(len(sets[speech])))) == "silence"
        spoken = np.flatnonzero(~silent.to_numpy(bool))
        for other, (other_name, group) in OTHER.items():
            sounds = np.flatnonzero(~np.isin(column(sets[other], "label"), VOICES))
            found[f"{speech_name} | {other_name}"] = [
                _clips(sets[speech], spoken, np.full(len(spoken), "speech"), speaker),
                _clips(sets[other], sounds, np.full(len(sounds), "other"), group),
            ]
    return found


TRANSFERS = {
    transfer.name: transfer
    for transfer in (
        Transfer("detection", "speech or not", (*SPEECH, *OTHER), _detection, lambda name: set(name.split(" | "))),
        Transfer("digits", "digits by set", ("spoken_digits", "speech_commands_12"), _digits),
        Transfer("digit_speakers", "digits by speaker", ("spoken_digits",), _digit_speakers),
        Transfer("gender", "gender", ("read_speech_speakers", "language_id"), _gender),
        Transfer("age", "child or adult, by gender", ("read_speech_speakers",), _age),
        Transfer("microphones", "drum strokes by microphone", ("drum_strokes",), _microphones),
        Transfer("dynamics", "instruments by loudness", ("orchestral_notes",), _dynamics),
    )
}


def find_transfers(names: str) -> list[Transfer]:
    """Find transfers by name, separated by commas; ``all`` for all.

    Raises:
        ValueError: if a name is unknown.
    """
    found: dict[str, Transfer] = {}
    for name in (name.strip() for name in names.split(",") if name.strip()):
        for each in tuple(TRANSFERS) if name == "all" else (name,):
            if each not in TRANSFERS:
                raise ValueError(f"expected a transfer out of all, {', '.join(TRANSFERS)}, got {each!r}")
            found[each] = TRANSFERS[each]
    if not found:
        raise ValueError("expected at least one transfer, got none")
    return list(found.values())
