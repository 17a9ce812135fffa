"""A sound, whatever it is stored in: read only when asked for, and in part where its format allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.opening import open_bytes, open_source
from byola_hear.audio.source import AudioFileError, Source

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
    """A sound in an audio file.

    Args:
        name: of the sound.
        contents: gives the file, or its bytes.
    """

    def opened() -> Source:
        stored = contents()
        return open_bytes(name, stored) if isinstance(stored, bytes) else open_source(os.fspath(stored))

    def read(start_s: float, length_s: float | None) -> Samples:
        with _named(name), closing(opened()) as source:
            if start_s:
                source.skip_to(round(start_s * source.sample_rate))
            wanted = None if length_s is None else round(length_s * source.sample_rate)
            pieces: list[NDArray[np.float32]] = [np.zeros((0, source.channels), np.float32)]
            n_read = 0
            for piece in source.pieces():
                pieces.append(piece if wanted is None else piece[: wanted - n_read])
                n_read += len(piece)
                if wanted is not None and n_read >= wanted:
                    break
            return np.concatenate(pieces), source.sample_rate

    def duration_s() -> float:
        with _named(name), closing(opened()) as source:
            if source.frames is None:
                for _ in source.pieces():
                    pass
            return (source.position if source.frames is None else source.frames) / source.sample_rate

    return Sound(name, read, duration_s)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors of a file as those of a sound."""
    try:
        yield
    except (AudioFileError, OSError) as error:
        raise SoundError(str(error) if name in str(error) else f"{name}: {error}") from None


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
