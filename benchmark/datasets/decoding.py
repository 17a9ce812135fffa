"""Sounds of any format, as they lie in archives, to mono samples at a rate: the one decoder of the benchmark.

Files are read by :mod:`byola_hear.audio`, so a damaged or truncated one is refused, not read in part.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import soxr
from numpy.typing import NDArray

from byola_hear.audio import AudioFileError, open_source, read_audio
from byola_hear.utils.files import naming


@dataclass(frozen=True)
class Decoded:
    """A decoded sound.

    Attributes:
        samples: ``(n_samples,)`` float32, the mean of the channels; at least one sample.
        sample_rate: Hz, the file's own.
        codec: how the samples are stored, in the decoder's words, such as ``PCM_16``.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    codec: str

    def at(self, sample_rate: int, quality: str = "HQ") -> NDArray[np.float32]:
        """The samples at another rate, ``(n_samples,)`` float32.

        Args:
            sample_rate: Hz.
            quality: of soxr's filter.
        """
        if sample_rate == self.sample_rate:
            return self.samples
        resampled: NDArray[np.float32] = soxr.resample(self.samples, self.sample_rate, sample_rate, quality=quality)
        # A clip of a sample or two may resample to none.
        return resampled if len(resampled) else self.samples[:1]


def decoded(content: bytes | Path, name: str) -> Decoded:
    """Decode a sound.

    Args:
        content: of the file, or its path.
        name: of the sound, for errors; its ending helps to recognise some formats.

    Raises:
        ValueError: if it can't be decoded, or holds no samples.
    """
    if isinstance(content, Path):
        return _decoded(content, name)
    handle, path = tempfile.mkstemp(PurePosixPath(name).suffix, "byola-hear-")
    try:
        with naming(Path(path)), open(handle, "wb") as file:
            file.write(content)
        return _decoded(Path(path), name)
    finally:
        os.unlink(path)


def _decoded(path: Path, name: str) -> Decoded:
    try:
        with closing(open_source(str(path))) as source:
            sample_rate, codec = source.sample_rate, source.codec
        return Decoded(read_audio(path, sample_rate), sample_rate, codec)
    except AudioFileError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{name}: could not be decoded: {reason}") from error


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples as 16-bit integers, rounded, those beyond full scale clipped.

    >>> to_int16(np.array([0.5, -1.0, 2.0], np.float32)).tolist()
    [16384, -32768, 32767]
    """
    return np.clip(np.round(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
