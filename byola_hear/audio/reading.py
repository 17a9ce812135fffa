"""Audio files to mono float32 samples at the rate a model wants: whole, in blocks, or a segment of them.

Whatever libsndfile reads can be read: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others; where the program ``ffmpeg``
is on PATH, whatever that reads, too. Channels are averaged, integers scaled to [-1, 1], and the rate converted by
soxr ("HQ"). Whole and blockwise reading are the same stream cut differently, so their samples are identical.

A segment has the samples that the whole file has there. Where the format allows an exact seek (all but MP3 and what
ffmpeg reads), no more than a second before it is decoded: from a place where the resampler is in the same phase as in
the whole file, and early enough for its filter to have forgotten that nothing came before.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio import ffmpeg
from byola_hear.audio.mixing import Mixdown, at_rate
from byola_hear.audio.opening import open_source
from byola_hear.audio.source import AudioFileError

__all__ = ["AUDIO_SUFFIXES", "AudioFileError", "audio_suffixes", "open_source", "read_audio", "read_blocks"]

#: Names that are taken for audio when a folder is searched, whatever else is installed.
AUDIO_SUFFIXES = frozenset(
    (
        *(".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2"),
        *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".sph"),
    )
)
#: An end this far beyond the file's is a rounded number and means the file's end, s.
END_TOLERANCE_S = 0.05
#: The reach of soxr's "HQ" filter in samples at the lower of the two rates, measured (93), and some more.
_FILTER_REACH = 128
#: soxr steps exactly through the phases of a ratio whose numerator is at most this (measured up to 1600); with others
#: its position drifts along the file by some millionths of a sample a second, so that only a stream from the
#: file's beginning is the same stream. Of usual rates, 11025 Hz has the largest, 640.
_MOST_PHASES = 1024


@dataclass(frozen=True)
class _Segment:
    """What is wanted of a file, in seconds and in samples at the rate wanted; see :func:`read_audio`."""

    start: float
    end: float | None
    first: int
    stop: int | None

    @classmethod
    def of(cls, start: float, end: float | None, sample_rate: int) -> _Segment:
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, Integral) or sample_rate < 1:
            raise ValueError(f"sample_rate must be a positive integer, got {sample_rate!r}")
        numbers = isinstance(start, Real) and (end is None or isinstance(end, Real))
        if not (numbers and 0 <= start < float("inf") and (end is None or start < end < float("inf"))):
            raise ValueError(f"expected a segment with 0 <= start < end, in seconds, got start={start!r}, end={end!r}")
        first, stop = round(start * sample_rate), None if end is None else round(end * sample_rate)
        if stop is not None and stop <= first:
            raise ValueError(f"the segment from {start!r} to {end!r} s holds no sample at {sample_rate} Hz")
        return cls(start, end, first, stop)

    def check(self, path: str, duration: float) -> None:
        """Refuse a segment that the file does not have.

        Args:
            path: the file.
            duration: its length, s.
        """
        if self.start > 0 and self.start >= duration:
            raise AudioFileError(f"{path}: the segment begins at {self.start:g} s, the file ends at {duration:.3f} s")
        if self.end is not None and self.end > duration + END_TOLERANCE_S:
            raise AudioFileError(
                f"{path}: the segment from {self.start:g} s ends at {self.end:g} s, the file at {duration:.3f} s"
            )


def audio_suffixes() -> frozenset[str]:
    """Ends of names, in lower case, that are taken for audio when a folder is searched: more where ffmpeg is."""
    return AUDIO_SUFFIXES | ffmpeg.FFMPEG_SUFFIXES if ffmpeg.available() else AUDIO_SUFFIXES


def read_audio(
    path: str | bytes | os.PathLike[str], sample_rate: int, start: float = 0.0, end: float | None = None
) -> NDArray[np.float32]:
    """Read a file, or a segment of it.

    Args:
        path: an audio file.
        sample_rate: the rate wanted, Hz.
        start: where the segment begins, s from the file's beginning.
        end: where it ends, s; None for the file's end, which is also meant by up to 0.05 s beyond it.

    Returns:
        ``(n_samples,)`` float32, mono, at ``sample_rate``; at least one sample. Those of a segment are samples
        ``round(start * sample_rate)`` to ``round(end * sample_rate)`` of the whole file's, to 1e-6 of full scale.

    Raises:
        AudioFileError: if it is no audio file, is damaged, truncated or empty, holds NaN, infinity or what was
            never scaled to [-1, 1], or is too short for the segment. Damage outside a segment may go unnoticed.
        FileNotFoundError: if there is no such file.
        ValueError: if the segment or the rate is none.
    """
    wanted = _Segment.of(start, end, sample_rate)
    return np.concatenate(list(_segment(os.fsdecode(path), int(sample_rate), wanted)))


def read_blocks(
    path: str | bytes | os.PathLike[str],
    sample_rate: int,
    block_seconds: float = 60.0,
    start: float = 0.0,
    end: float | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Read a file or a segment of it block by block, in memory that does not depend on its length.

    Args:
        path: an audio file.
        sample_rate: the rate wanted, Hz.
        block_seconds: length of the blocks, s; the last one may be shorter.
        start: where the segment begins, s from the file's beginning.
        end: where it ends, s; None for the file's end.

    Yields:
        ``(n_samples,)`` float32, mono, at ``sample_rate``, where ``n_samples`` is
        ``block_seconds * sample_rate`` rounded, at least 1; together exactly what :func:`read_audio` returns.

    Raises:
        AudioFileError: as :func:`read_audio`, when the trouble is reached.
        FileNotFoundError: if there is no such file.
        ValueError: if ``block_seconds`` is not a positive number, or as :func:`read_audio`.
    """
    if not 0 < block_seconds < float("inf"):
        raise ValueError(f"block_seconds must be a positive number, got {block_seconds!r}")
    wanted = _Segment.of(start, end, sample_rate)
    size = max(1, round(block_seconds * sample_rate))
    waiting: list[NDArray[np.float32]] = []
    n_waiting = 0
    for piece in _segment(os.fsdecode(path), int(sample_rate), wanted):
        while n_waiting + len(piece) >= size:
            head, piece = piece[: size - n_waiting], piece[size - n_waiting :]
            yield np.concatenate([*waiting, head])
            waiting, n_waiting = [], 0
        waiting.append(piece)
        n_waiting += len(piece)
    if n_waiting:
        yield np.concatenate(waiting)


def _segment(path: str, sample_rate: int, wanted: _Segment) -> Iterator[NDArray[np.float32]]:
    """Mono pieces of any length at the rate wanted; at least one sample altogether."""
    with closing(open_source(path)) as source:
        if source.frames is not None and not (source.container in ("MP3", "OGG") or source.frames == 0):
            wanted.check(path, source.frames / source.sample_rate)
        common = math.gcd(source.sample_rate, sample_rate)
        step, out_step = source.sample_rate // common, sample_rate // common
        # Sample n * step of the file is exactly at sample n * out_step of the output: streams can begin there.
        n_steps = 0
        if out_step <= _MOST_PHASES:
            reach = math.ceil(_FILTER_REACH * max(1.0, source.sample_rate / sample_rate)) if step != out_step else 0
            n_steps = max(0, (wanted.first // out_step * step - reach) // step)
        if n_steps:
            source.skip_to(n_steps * step)
        position = n_steps * out_step
        given = 0
        mixdown = Mixdown(path, source.sample_rate)
        mono = mixdown.mono(source.pieces(), n_steps * step)
        for piece in at_rate(mono, source.sample_rate, sample_rate, path, n_steps > 0):
            if wanted.stop is not None:
                piece = piece[: max(0, wanted.stop - position)]
            new = piece[max(0, wanted.first - position) :]
            position += len(piece)
            given += len(new)
            if len(new):
                yield new
            if position == wanted.stop:
                break
        else:
            duration = source.position / source.sample_rate
            wanted.check(path, duration)
            if not given:
                raise AudioFileError(
                    f"{path}: the segment begins at {wanted.start:g} s, the file ends at {duration:.3f} s"
                )
        mixdown.warn_if_cancelled()
