"""Find all sounds of a folder, and samples to compare them with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from byola_hear.pretraining.corpora.sounds.find import find_sounds
from byola_hear.pretraining.corpora.sounds.sound import Sound

RAMP = np.arange(-128, 128, dtype=np.int16)


BYTES = (RAMP + 128).astype(np.uint8).tobytes()


def sounds_below(folder: Path) -> dict[str, Sound]:
    """All sounds by name. A file that can't be read fails the test."""

    def fail(name: str, reason: str) -> None:
        raise AssertionError(f"{name}: {reason}")

    return {sound.name: sound for sound in find_sounds(folder, fail)}


def errors_below(folder: Path) -> list[tuple[str, str]]:
    """The name and error of each file and sound that can't be read."""
    errors: list[tuple[str, str]] = []
    for sound in find_sounds(folder, lambda name, reason: errors.append((name, reason))):
        try:
            sound.read(0.0, None)
        except ValueError as error:
            errors.append((sound.name, str(error)))
    return errors
