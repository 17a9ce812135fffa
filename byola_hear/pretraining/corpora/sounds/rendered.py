"""Play notes on the instruments of a SoundFont: every preset, over six octaves, soft and loud.

A SoundFont contains a recording for every few keys. Notes on other keys, played softly or held, show more of the
instrument. TinySoundFont renders a note in a few milliseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Samples, Sound, SoundError, decoded_sound

if TYPE_CHECKING:
    import tinysoundfont

#: Part of the name of every note, by which rules separate notes from recordings.
NOTES = "/notes/"
#: MIDI keys of melodic presets, every major third from C2 to C7, and of drum kits, the General MIDI strokes.
KEYS, DRUM_KEYS = range(36, 97, 4), range(35, 82)
#: MIDI velocities.
VELOCITIES = (56, 108)
#: Bank of drum kits.
_DRUMS = 128
#: How long a key is held, and how long the sound may fade, in seconds.
HELD_S, FADING_S = 1.4, 0.6
_RATE = 44100
#: A row of the table of presets: name, program, bank, and four values that are not needed.
_PRESET_ROW = struct.Struct("<20sHHHIII")


def rendered_notes(name: str, path: Path, presets: bytes) -> Iterator[Sound]:
    """List the notes of the presets of a SoundFont.

    Args:
        name: name of the file.
        path: path of the file.
        presets: table of presets of the file (``phdr``).

    Yields:
        Notes, which are rendered when they are read.
    """
    # The last row marks the end of the table. Other banks contain variants of the presets, which are left out.
    rows = [_PRESET_ROW.unpack_from(presets, at)[:3] for at in range(0, len(presets) - 2 * 38 + 1, _PRESET_ROW.size)]
    for raw, program, bank in sorted(rows, key=lambda row: (row[2], row[1])):
        if bank not in (0, _DRUMS):
            continue
        preset = raw.split(bytes(1))[0].decode("latin-1").strip()
        for key in DRUM_KEYS if bank == _DRUMS else KEYS:
            for velocity in VELOCITIES:
                inner = f"{name}{NOTES}{bank:03d}-{program:03d} {preset}/{key:03d}-{velocity:03d}"
                yield decoded_sound(inner, partial(render, path, bank, program, key, velocity))


def render(path: Path, bank: int, program: int, key: int, velocity: int) -> Samples:
    """Render a note.

    Args:
        path: path of the SoundFont.
        bank: bank of the preset.
        program: program of the preset.
        key: MIDI number of the note.
        velocity: MIDI velocity, from 1 to 127.

    Returns:
        ``(n_samples, 2)`` float32, and the rate, 44 100 Hz.

    Raises:
        DecoderMissing: if tinysoundfont is not installed.
        SoundError: if the SoundFont can't be played.
    """
    synth, font = _synth(str(path))
    try:
        synth.program_select(0, font, bank, program, bank == _DRUMS)
        synth.noteon(0, key, velocity)
        held = bytes(synth.generate(round(HELD_S * _RATE)))
        synth.noteoff(0, key)
        fading = bytes(synth.generate(round(FADING_S * _RATE)))
        synth.sounds_off()
    except Exception as error:  # the library raises no other type
        raise SoundError(f"{path.name}: preset {bank}-{program} can't be played ({error})") from error
    return np.frombuffer(held + fading, np.float32).reshape(-1, 2), _RATE


@lru_cache(maxsize=1)
def _synth(path: str) -> tuple[tinysoundfont.Synth, int]:
    """Load a SoundFont into a synthesiser. A large one takes a second."""
    try:
        import tinysoundfont
    except ImportError:
        raise DecoderMissing(
            f"{Path(path).name}: rendering notes needs tinysoundfont (pip install --no-deps tinysoundfont)"
        ) from None
    synth = tinysoundfont.Synth(samplerate=_RATE)
    try:
        return synth, synth.sfload(path)
    except Exception as error:
        raise SoundError(f"{Path(path).name}: not a SoundFont that can be played ({error})") from error
