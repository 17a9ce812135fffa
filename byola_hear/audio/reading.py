"""Audio files as mono float32 samples at a given rate: whole, in blocks, or a segment.

All formats of libsndfile can be read: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others. If the program ``ffmpeg`` is
on PATH, so can its formats. Channels are averaged, integers are scaled to [-1, 1], and the rate is converted by soxr
("HQ"). Blocks contain exactly the samples of the whole file.

The samples of a segment are those of the whole file at the same place. In formats with an exact seek (all but MP3 and
those that ffmpeg decodes), at most a second before the segment is decoded; in Opus six, and in the last half minute of
Ogg more. Decoding begins where the resampler is in the same phase as in the whole file, and early enough for its
filter.
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
from byola_hear.utils.files import check_no_content

__all__ = ["AUDIO_SUFFIXES", "AudioFileError", "audio_suffixes", "open_source", "read_audio", "read_blocks"]

#: Suffixes of audio files in folders, with and without ffmpeg.
AUDIO_SUFFIXES = frozenset(
    (
        *(".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2"),
        *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".sph"),
    )
)
#: An end up to this far beyond the end of the file counts as rounded and means the end of the file, s.
END_TOLERANCE_S = 0.05
#: Reach of soxr's "HQ" filter, in samples at the lower of the two rates: 93 as measured, and a margin.
_FILTER_REACH = 128
#: The largest numerator of a ratio of rates for which soxr's phases are exact (measured up to 1600). With others, its
#: position drifts by some millionths of a sample per second, so that segments are resampled from the beginning of the
#: file. Among the usual rates, 11025 Hz has the largest numerator, 640.
_MOST_PHASES = 1024


@dataclass(frozen=True)
class _Segment:
    """A segment, in seconds and in samples at the new rate; see :func:`read_audio`."""

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
        """Refuse a segment that is not in the file.

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
    """Suffixes of audio files in folders, in lower case; more of them if ffmpeg is installed."""
    return AUDIO_SUFFIXES | ffmpeg.FFMPEG_SUFFIXES if ffmpeg.available() else AUDIO_SUFFIXES


def read_audio(
    path: str | bytes | os.PathLike[str], sample_rate: int, start: float = 0.0, end: float | None = None
) -> NDArray[np.float32]:
    """Read a file, or a segment of it.

    Args:
        path: an audio file.
        sample_rate: sampling rate of the result, Hz.
        start: beginning of the segment, s from the beginning of the file.
        end: end of the segment, s; None for the end of the file. Up to 0.05 s beyond it means the same.

    Returns:
        ``(n_samples,)`` float32, mono, at ``sample_rate``; at least one sample. A segment has the samples
        ``round(start * sample_rate)`` to ``round(end * sample_rate)`` of the whole file, within 1e-6 of full scale.

    Raises:
        AudioFileError: if the file is not an audio file, is damaged, truncated or empty, contains more audio than can
            be read, contains NaN, infinity or samples far from [-1, 1], or is too short for the segment. Damage outside
            a segment may go unnoticed.
        FileNotFoundError: if the file does not exist.
        TypeError: if ``path`` is no path but, for example, an open file.
        ValueError: if the segment or the rate is invalid.

    Warns:
        AudioFileWarning: if the channels cancel each other out, see :class:`byola_hear.audio.AudioFileWarning`.
    """
    wanted = _Segment.of(start, end, sample_rate)
    return np.concatenate(list(_segment(_name(path), int(sample_rate), wanted)))


def read_blocks(
    path: str | bytes | os.PathLike[str],
    sample_rate: int,
    block_seconds: float = 60.0,
    start: float = 0.0,
    end: float | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Read a file, or a segment of it, in blocks. Memory does not depend on the length.

    Args:
        path: an audio file.
        sample_rate: sampling rate of the result, Hz.
        block_seconds: length of the blocks, s; the last one may be shorter.
        start: beginning of the segment, s from the beginning of the file.
        end: end of the segment, s; None for the end of the file.

    Yields:
        ``(n_samples,)`` float32, mono, at ``sample_rate``, where ``n_samples`` is
        ``block_seconds * sample_rate``, rounded, at least 1. Together they are what :func:`read_audio` returns.

    Raises:
        AudioFileError: as :func:`read_audio`, when the faulty part is reached.
        FileNotFoundError: if the file does not exist.
        ValueError: if ``block_seconds`` is not a positive number, or as :func:`read_audio`.
    """
    if not 0 < block_seconds < float("inf"):
        raise ValueError(f"block_seconds must be a positive number, got {block_seconds!r}")
    wanted = _Segment.of(start, end, sample_rate)
    size = max(1, round(block_seconds * sample_rate))
    waiting: list[NDArray[np.float32]] = []
    n_waiting = 0
    for piece in _segment(_name(path), int(sample_rate), wanted):
        while n_waiting + len(piece) >= size:
            head, piece = piece[: size - n_waiting], piece[size - n_waiting :]
            yield np.concatenate([*waiting, head])
            waiting, n_waiting = [], 0
        waiting.append(piece)
        n_waiting += len(piece)
    if n_waiting:
        yield np.concatenate(waiting)


def _name(path: str | bytes | os.PathLike[str]) -> str:
    check_no_content(path, "the path of an audio file")
    return os.fsdecode(path)


def _segment(path: str, sample_rate: int, wanted: _Segment) -> Iterator[NDArray[np.float32]]:
    """Mono pieces of any length at the new rate; at least one sample in all."""
    with closing(open_source(path)) as source:
        if source.frames is not None and not (source.container in ("MP3", "OGG") or source.frames == 0):
            wanted.check(path, source.frames / source.sample_rate)
        common = math.gcd(source.sample_rate, sample_rate)
        step, out_step = source.sample_rate // common, sample_rate // common
        # Sample n * step of the file is exactly sample n * out_step of the output: resampling can begin there.
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
