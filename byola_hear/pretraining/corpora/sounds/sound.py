"""A sound, whatever it is stored in: read only when asked for, and in part where its format allows."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.libsndfile import FRAMES_UNKNOWN

#: Samples as they come, ``(n_samples, n_channels)`` float32 with full scale ±1, and their rate in Hz.
Samples = tuple[NDArray[np.float32], int]


class SoundError(ValueError):
    """A sound, or an archive of sounds, that can't be read; the message says why."""


class DecoderMissing(SoundError):
    """A sound in a format that needs a program or a package that isn't installed; the message says which."""


@dataclass(frozen=True)
class Sound:
    """A sound that can be read.

    Attributes:
        name: path, with forward slashes; for a sound in an archive, the archive's path, a slash, the name there.
        read: gives the samples from a time on, for so long or to the end (both in seconds).
        duration_s: gives the length in seconds, without decoding where the format allows.
    """

    name: str
    read: Callable[[float, float | None], Samples]
    duration_s: Callable[[], float]


def stored_sound(name: str, contents: Callable[[], Path | bytes]) -> Sound:
    """A sound in a format that libsndfile reads.

    Args:
        name: of the sound.
        contents: gives the file, or its bytes.
    """

    def opened() -> soundfile.SoundFile:
        stored = contents()
        if isinstance(stored, bytes):
            file = soundfile.SoundFile(io.BytesIO(stored))
        else:
            # soundfile takes a name that is no text only as the bytes that it is.
            file = soundfile.SoundFile(os.fsencode(stored) if os.name == "posix" else stored)
        if file.frames >= FRAMES_UNKNOWN:
            raise SoundError(f"{name}: expected a sound that says how long it is, got one that was streamed")
        return file

    def read(start_s: float, length_s: float | None) -> Samples:
        try:
            with opened() as file:
                if start_s:
                    file.seek(min(round(start_s * file.samplerate), file.frames))
                frames = -1 if length_s is None else round(length_s * file.samplerate)
                return file.read(frames, dtype="float32", always_2d=True), file.samplerate
        except soundfile.SoundFileError as error:
            raise SoundError(f"{name}: {error}") from None

    def duration_s() -> float:
        try:
            with opened() as file:
                return float(file.frames / file.samplerate)
        except soundfile.SoundFileError as error:
            raise SoundError(f"{name}: {error}") from None

    return Sound(name, read, duration_s)


def decoded_sound(name: str, load: Callable[[], Samples]) -> Sound:
    """A sound that is decoded as a whole, of which parts are then taken.

    Args:
        name: of the sound.
        load: gives all samples, ``(n_samples,)`` or ``(n_samples, n_channels)``, and the rate.
    """

    def read(start_s: float, length_s: float | None) -> Samples:
        samples, rate = load()
        first = round(start_s * rate)
        last = None if length_s is None else first + round(length_s * rate)
        return (samples if samples.ndim == 2 else samples[:, np.newaxis])[first:last], rate

    def duration_s() -> float:
        samples, rate = load()
        return len(samples) / rate

    return Sound(name, read, duration_s)
