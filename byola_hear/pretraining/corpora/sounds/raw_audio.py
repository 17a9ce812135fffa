"""Read files without a header. Their ending gives the format."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from byola_hear.pretraining.corpora.sounds.sound import Samples, Sound, SoundError, decoded_sound

#: Sample rate of the voices of Drascula, in Hz.
_ALS_RATE = 11025
#: Sample rate of GSM full rate, in Hz.
_GSM_RATE = 8000


def als_sounds(name: str, path: Path) -> Iterable[Sound]:
    """Read a voice of the game Drascula: unsigned bytes at 11 025 Hz."""
    return [decoded_sound(name, partial(_unsigned_bytes, path))]


def gsm_sounds(name: str, path: Path) -> Iterable[Sound]:
    """Read a telephone prompt: GSM full rate, 33 bytes for every 160 samples, at 8 000 Hz."""
    return [decoded_sound(name, partial(_gsm, name, path))]


def _unsigned_bytes(path: Path) -> Samples:
    return bytes_to_samples(path.read_bytes()), _ALS_RATE


def bytes_to_samples(data: bytes) -> np.ndarray:
    """Convert unsigned 8-bit samples, whose silence is 128, to float32 with full scale ±1.

    Example:
        >>> bytes_to_samples(bytes([0, 128, 192])).tolist()
        [-1.0, 0.0, 0.5]
    """
    return (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0


def _gsm(name: str, path: Path) -> Samples:
    try:
        return soundfile.read(path, dtype="float32", format="RAW", subtype="GSM610", samplerate=_GSM_RATE, channels=1)
    except soundfile.SoundFileError as error:
        raise SoundError(f"{name}: {error}") from None
