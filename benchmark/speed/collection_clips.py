"""A folder of audio files to measure speed on, made of whatever recordings are at hand.

Recordings are laid end to end, over and over, and cut into clips, so that a few will do for any number of clips:
how long decoding and the network take does not depend on what is heard, only on the form of the files. Each clip
begins elsewhere in the recordings and has its own loudness, so that no two files are the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from byola_hear.extraction.clips import audio_files

#: Seconds of recordings that are put into memory; what is beyond is not used.
MOST_SECONDS = 600.0


def recordings(folder: Path, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """The audio files of a folder, end to end.

    Args:
        folder: where to look, also in folders below.
        sample_rate: Hz, to convert to.
        channels: to convert to; a channel too few is copied, one too many left out.

    Returns:
        ``(n_samples, channels)`` float32.

    Raises:
        ValueError: if there is no audio file.
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
    """Write clips as FLAC, 16 bits.

    Args:
        folder: where to; exists.
        source: ``(n_samples, channels)`` to cut them from, over and over.
        sample_rate: Hz, of the source.
        n_clips: how many.
        seconds: length of each.

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
