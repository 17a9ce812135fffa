"""A sound in any kind of file. It is decoded when it is read, and only the wanted part if its format allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio import ffmpeg
from byola_hear.audio.opening import open_bytes, open_source
from byola_hear.audio.source import AudioFileError, Source

#: Decoded samples, ``(n_samples, n_channels)`` float32 with full scale ±1, and their rate in Hz.
Samples = tuple[NDArray[np.float32], int]


class SoundError(ValueError):
    """A sound, or an archive of sounds, can't be read. The message gives the reason."""


class DecoderMissing(SoundError):
    """A sound needs a program or a package that is not installed. The message names it."""


def installed_decoders() -> list[str]:
    """The names of those programs and packages that are installed without which some sounds can't be decoded."""
    programs = ["ffmpeg"] if ffmpeg.available() else []
    return [*programs, *(name for name in ("av", "tinysoundfont") if find_spec(name) is not None)]


@dataclass(frozen=True)
class Sound:
    """A sound that can be read.

    Attributes:
        name: path with forward slashes. For a sound in an archive: the archive's path, a slash, and the name there.
        read: reads samples, given a start and a length in seconds. None reads to the end.
        duration_s: gives the length in seconds, without decoding if the format allows.
    """

    name: str
    read: Callable[[float, float | None], Samples]
    duration_s: Callable[[], float]


def stored_sound(name: str, contents: Callable[[], Path | bytes]) -> Sound:
    """Make a sound of an audio file.

    Args:
        name: name of the sound.
        contents: returns the path of the file, or its bytes.
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
    """Turn errors of a file into errors of the sound of that name."""
    try:
        yield
    except (AudioFileError, OSError) as error:
        raise SoundError(str(error) if name in str(error) else f"{name}: {error}") from None


def decoded_sound(name: str, load: Callable[[], Samples]) -> Sound:
    """Make a sound that is always decoded as a whole.

    Args:
        name: name of the sound.
        load: returns all samples, ``(n_samples,)`` or ``(n_samples, n_channels)``, and the rate in Hz.
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
