"""Segments of recordings as WAV files of their own, with the recording's rate and channels."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.reading import open_source
from byola_hear.audio.source import AudioFileError, Source
from byola_hear.utils.files import replacing


def cut(path: str, start: float, end: float, target: Path) -> None:
    """Write a segment of a recording as a WAV file of 16 bits. Values beyond full scale are clipped.

    Args:
        path: the recording, in any format that can be read.
        start: where the segment begins, s.
        end: where it ends, s. The file's end is meant by more than the file has.
        target: the file to write. An existing file is replaced.

    Raises:
        AudioFileError: if the recording can't be read, or ends before the segment begins.
        FileNotFoundError: if there is no such recording, or no such folder to write to.
        OSError: if the file can't be written.
    """
    with closing(open_source(path)) as source:
        first, stop = round(start * source.sample_rate), round(end * source.sample_rate)
        if first:
            source.skip_to(first)
        pieces = _until(source, stop - first)
        piece = next(pieces, None)
        if piece is None:
            raise AudioFileError(f"{path}: the segment begins at {start:g} s, after the file's end")
        # By Python, because libsndfile does not learn of errors of a stream, such as a full disk.
        with replacing(target) as stream, wave.open(stream, "wb") as written:
            written.setparams((source.channels, 2, source.sample_rate, 0, "NONE", ""))
            while piece is not None:
                written.writeframesraw(_as_16_bits(piece))
                piece = next(pieces, None)


def _as_16_bits(samples: NDArray[np.float32]) -> bytes:
    return np.rint(samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()


def _until(source: Source, count: int) -> Iterator[NDArray[np.float32]]:
    """The source's next samples, ``(n_samples, channels)``; fewer than ``count`` if the file ends."""
    for piece in source.pieces():
        if count <= 0:
            return
        yield piece[:count]
        count -= len(piece)
