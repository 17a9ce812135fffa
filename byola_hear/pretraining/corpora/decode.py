"""Samples as they come → the form that training reads: 16 kHz, mono, 16 bits, FLAC."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.mixing import at_rate, mean_of_channels
from byola_hear.utils.files import replacing

#: The rate of everything that is built, Hz.
SAMPLE_RATE = 16000
#: What is shorter says nothing, seconds.
SHORTEST_S = 0.05
#: What stays below this peak is taken for silence: -60 dB of full scale.
SILENCE_PEAK = 33


def to_training_form(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.int16]:
    """Average the channels, convert the rate (soxr, "HQ"), round to 16 bits.

    Args:
        samples: ``(n_samples,)`` or ``(n_samples, n_channels)``, full scale ±1; what is not a number counts as 0.
        sample_rate: Hz.

    Returns:
        ``(m_samples,)`` int16 at 16 kHz; beyond full scale is clipped.

    Raises:
        ValueError: if the shape or the rate is something else.

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
    """Why samples are not worth keeping, ``short`` or ``silent``, or None."""
    if len(pcm) < SHORTEST_S * SAMPLE_RATE:
        return "short"
    return "silent" if np.abs(pcm.astype(np.int32)).max() < SILENCE_PEAK else None


def pcm_digest(pcm: NDArray[np.int16]) -> str:
    """MD5 of the samples as little-endian bytes: equal for sounds that are exact duplicates, and FLAC's own."""
    return hashlib.md5(pcm.astype("<i2").tobytes(), usedforsecurity=False).hexdigest()


def write_flac(path: Path, pcm: NDArray[np.int16]) -> None:
    """Write a FLAC file, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # In memory first: libsndfile says nothing when the end of a file doesn't fit on the disk.
    encoded = io.BytesIO()
    soundfile.write(encoded, pcm, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    with replacing(path) as file:
        file.write(encoded.getbuffer())
