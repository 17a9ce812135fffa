"""Convert samples to the form of a corpus: 16 kHz, mono, 16 bits, FLAC."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.mixing import at_rate, mean_of_channels
from byola_hear.utils.files import write_file

#: Sample rate of a corpus, in Hz.
SAMPLE_RATE = 16000
#: Shortest usable sound, in seconds.
SHORTEST_S = 0.05
#: A sound whose peak is below this, -60 dB of full scale, is silent.
SILENCE_PEAK = 33


def to_training_form(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.int16]:
    """Average the channels, resample to 16 kHz and round to 16 bits.

    Args:
        samples: ``(n_samples,)`` or ``(n_samples, n_channels)``, full scale ±1. NaN counts as 0.
        sample_rate: sample rate, in Hz.

    Returns:
        ``(m_samples,)`` int16 at 16 kHz. Values beyond full scale are clipped.

    Raises:
        ValueError: if the shape is another one, or the rate is not positive.

    Example:
        >>> to_training_form(np.ones((48000, 2), np.float32) * 0.5, 48000).shape
        (16000,)
    """
    if samples.ndim not in (1, 2) or sample_rate <= 0:
        raise ValueError(
            f"expected samples of shape (n,) or (n, channels) at a positive rate, "
            f"got {samples.shape} at {sample_rate} Hz"
        )
    mono = samples if samples.ndim == 1 else mean_of_channels(samples)
    mono = np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
    if len(mono):
        mono = np.concatenate(list(at_rate([mono], sample_rate, SAMPLE_RATE)))
    return np.clip(np.round(mono * 32768.0), -32768, 32767).astype(np.int16)


def unusable(pcm: NDArray[np.int16]) -> str | None:
    """Why a sound is left out: ``short``, ``silent``, or None if it is usable."""
    if len(pcm) < SHORTEST_S * SAMPLE_RATE:
        return "short"
    return "silent" if np.abs(pcm.astype(np.int32)).max() < SILENCE_PEAK else None


def pcm_digest(pcm: NDArray[np.int16]) -> str:
    """The MD5 of the samples as little-endian bytes, as in a FLAC header. Exact duplicates have the same digest."""
    return hashlib.md5(pcm.astype("<i2").tobytes(), usedforsecurity=False).hexdigest()


def write_flac(path: Path, pcm: NDArray[np.int16]) -> None:
    """Write a FLAC file, completely or not at all. Its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # It is encoded in memory, as libsndfile reports no error if the disk is full at the end of a file.
    encoded = io.BytesIO()
    soundfile.write(encoded, pcm, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    write_file(path, encoded.getbuffer())
