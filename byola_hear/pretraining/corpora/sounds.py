"""Everything audible in a folder, one by one, whatever it is stored in.

A sound is read only when asked for, and in part where its format allows.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.sound_file import FRAMES_UNKNOWN

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


def _readers() -> dict[str, Callable[[str, Path], Iterable[Sound]]]:
    """File name ending → what finds the sounds in such a file."""
    from byola_hear.audio import AUDIO_SUFFIXES
    from byola_hear.pretraining.corpora import archives, ffmpeg, instruments, raw_audio, sound_tables

    def one(name: str, path: Path) -> Iterable[Sound]:
        return [stored_sound(name, lambda: path)]

    def converted(name: str, path: Path) -> Iterable[Sound]:
        return [decoded_sound(name, partial(ffmpeg.decode, path))]

    return {
        **dict.fromkeys(AUDIO_SUFFIXES, one),
        **dict.fromkeys((".zip", ".pk3", ".wz"), archives.zip_sounds),
        **dict.fromkeys((".sf2", ".sf3"), instruments.soundfont_sounds),
        **dict.fromkeys((".g722", ".wv"), converted),
        ".pat": instruments.patch_sounds,
        ".1c": sound_tables.queen_sounds,
        ".cat": sound_tables.openttd_sounds,
        ".wad": sound_tables.doom_sounds,
        ".als": raw_audio.als_sounds,
        ".gsm": raw_audio.gsm_sounds,
    }


def sound_suffixes() -> frozenset[str]:
    """Endings of the names of files that sounds may be in, lower case."""
    return frozenset(_readers())


def find_sounds(folder: Path, on_error: Callable[[str, str], None]) -> Iterator[Sound]:
    """All sounds below a folder, in the order of their names. Links are not followed.

    Args:
        folder: searched recursively; hidden files and folders are passed by.
        on_error: told the name of a file that should hold sounds and can't be read, and why.
    """
    readers = _readers()
    for path in sorted(folder.rglob("*")):
        reader = readers.get(path.suffix.lower())
        relative = path.relative_to(folder)
        if reader is None or path.is_symlink() or not path.is_file() or _hidden(relative):
            continue
        name = relative.as_posix()
        try:
            yield from reader(name, path)
        except SoundError as error:
            on_error(name, str(error))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
