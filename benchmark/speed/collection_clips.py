"""A folder of audio files to measure speed with, made from the recordings of another folder.

Recordings are joined, repeated and cut into clips, so that a few are enough for any number of clips: the time of
decoding and of the network depends on the files' format, not on the sound. Each clip starts at another place and has
another level, so that no two files are equal.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from byola_hear.extraction.clips import audio_files

#: Seconds of recordings to load at most.
MOST_SECONDS = 600.0


def recordings(folder: Path, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """Load and join the audio files of a folder.

    Args:
        folder: the folder; subfolders are searched, too.
        sample_rate: Hz, to resample to.
        channels: number of channels; missing ones are copies of the last, surplus ones are dropped.

    Returns:
        ``(n_samples, channels)`` float32.

    Raises:
        ValueError: if the folder has no audio file.
    """
    pieces: list[NDArray[np.float32]] = []
    missing = round(MOST_SECONDS * sample_rate)
    for file in audio_files([folder]):
        with soundfile.SoundFile(file) as opened:
            rate = opened.samplerate
            samples = opened.read(round(MOST_SECONDS * rate), dtype="float32", always_2d=True)
        samples = samples[:, [min(channel, samples.shape[1] - 1) for channel in range(channels)]]
        pieces.append(soxr.resample(samples, rate, sample_rate)[:missing])
        missing -= len(pieces[-1])
        if missing <= 0:
            break
    return np.concatenate(pieces)


def write_clips(
    folder: Path, source: NDArray[np.float32], sample_rate: int, n_clips: int, seconds: float
) -> list[Path]:
    """Write clips as FLAC, 16 bit.

    Args:
        folder: an existing folder.
        source: ``(n_samples, channels)``, repeated as needed.
        sample_rate: Hz, of the source.
        n_clips: number of clips.
        seconds: length of each, s.

    Returns:
        The files, in order.
    """
    size = round(seconds * sample_rate)
    rng = np.random.default_rng(0)
    files = []
    for number in range(n_clips):
        start, gain = int(rng.integers(len(source))), rng.uniform(0.3, 0.9)
        clip = gain * np.take(source, np.arange(start, start + size), axis=0, mode="wrap")
        files.append(folder / f"{number:06}.flac")
        soundfile.write(files[-1], clip, sample_rate, subtype="PCM_16")
    return files
