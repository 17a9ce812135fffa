"""Pitch and dynamics of single orchestral notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets.labelled_set import LabelledSet, column, load_set
from benchmark.studies.regression.measurement import Examples, Measurement, numbers_in

SOURCE = "orchestral_notes"

#: Dynamics from soft to loud, as equal steps.
DYNAMICS = ("pianissimo", "piano", "mezzo-piano", "mezzo-forte", "forte", "fortissimo")


def _examples(notes: LabelledSet, target: np.ndarray) -> Examples:
    return Examples(notes, np.arange(len(notes)), target, column(notes, "note"))


def pitch(audio: Path, cache: Path, seed: int) -> Examples:
    """Notes with their MIDI numbers, 60 for middle C."""
    notes = load_set(audio / f"{SOURCE}.tar", cache)
    return _examples(notes, numbers_in(notes, "midi_pitch"))


def dynamics(audio: Path, cache: Path, seed: int) -> Examples:
    """Notes with their steps on the scale :data:`DYNAMICS`, 0 for the softest.

    Raises:
        ValueError: if a clip has other dynamics.
    """
    notes = load_set(audio / f"{SOURCE}.tar", cache)
    names = column(notes, "dynamics")
    if unknown := sorted(set(names) - set(DYNAMICS)):
        raise ValueError(f"{SOURCE}: expected dynamics out of {', '.join(DYNAMICS)}, got {', '.join(unknown)}")
    return _examples(notes, np.array([float(DYNAMICS.index(name)) for name in names]))


PITCH = Measurement(
    "pitch", "pitch", "semitones", "single orchestral notes, MIDI number; groups: notes of an instrument", pitch
)
DYNAMICS_SCALE = Measurement(
    "dynamics",
    "dynamics",
    "steps",
    f"the same notes, {DYNAMICS[0]} to {DYNAMICS[-1]} as {len(DYNAMICS)} equal steps; groups as for pitch",
    dynamics,
)
