"""Audio files to mono float32 samples at the rate a model wants, whole or in blocks.

Whatever libsndfile reads can be read: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others. Channels are
averaged, integers scaled to [-1, 1], and the rate converted by soxr ("HQ"). Whole and blockwise reading are
the same stream cut differently, so their samples are identical.

A file that is shorter than its header promises is refused, not quietly read in part. Ogg and MP3 are made to
be cut anywhere, so of those what is there is read. The length that libsndfile gives an MP3 of variable bit
rate without a length header is an estimate; such a file may be cut short.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

#: Names that are taken for audio when a folder is searched.
AUDIO_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64")
)
#: Samples of the file decoded at a time, whatever the block length asked for.
_DECODE_FRAMES = 65536
#: libsndfile's remark on a chunk that is longer in its header than in the file.
_SHORTER_THAN_PROMISED = re.compile(r"\b(?:data|SSND|Data Size|Riff size|riff) *: (\d+) \(should be (\d+)\)")
#: From here on a length in a header means "not known", as programs write that stream into a pipe.
_LENGTH_UNKNOWN = 0x7FF00000


class AudioFileError(ValueError):
    """An audio file that can't be read; the message names it and says why."""


class _Sequential(soundfile.SoundFile):
    """A file read from its beginning to its end.

    soundfile seeks after every read of a seekable file, to where it is anyway, and libsndfile's MP3 decoder,
    having lost what came before, then gives some tens of milliseconds of silence.
    """

    def seekable(self) -> bool:
        return False


def read_audio(path: str | os.PathLike[str], sample_rate: int) -> NDArray[np.float32]:
    """Read a whole file.

    Args:
        path: an audio file.
        sample_rate: the rate wanted, Hz.

    Returns:
        ``(n_samples,)`` float32, mono, at ``sample_rate``; at least one sample.

    Raises:
        AudioFileError: if it is no audio file, is damaged, truncated or empty, or holds NaN or infinity.
        FileNotFoundError: if there is no such file.
    """
    return np.concatenate(list(_resampled(Path(path), sample_rate)))


def read_blocks(
    path: str | os.PathLike[str], sample_rate: int, block_seconds: float = 60.0
) -> Iterator[NDArray[np.float32]]:
    """Read a file block by block, in memory that does not depend on its length.

    Args:
        path: an audio file.
        sample_rate: the rate wanted, Hz.
        block_seconds: length of the blocks, s; the last one may be shorter.

    Yields:
        ``(n_samples,)`` float32, mono, at ``sample_rate``, where ``n_samples`` is
        ``block_seconds * sample_rate`` rounded, at least 1; together exactly what :func:`read_audio` returns.

    Raises:
        ValueError: if ``block_seconds`` is not a positive number.
        AudioFileError: as :func:`read_audio`, when the trouble is reached.
        FileNotFoundError: if there is no such file.
    """
    if not 0 < block_seconds < float("inf"):
        raise ValueError(f"block_seconds must be a positive number, got {block_seconds!r}")
    size = max(1, round(block_seconds * sample_rate))
    waiting: list[NDArray[np.float32]] = []
    n_waiting = 0
    for piece in _resampled(Path(path), sample_rate):
        while n_waiting + len(piece) >= size:
            head, piece = piece[: size - n_waiting], piece[size - n_waiting :]
            yield np.concatenate([*waiting, head])
            waiting, n_waiting = [], 0
        waiting.append(piece)
        n_waiting += len(piece)
    if n_waiting:
        yield np.concatenate(waiting)


def audio_files(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files that paths stand for: a file for itself, a folder for the audio files below it.

    Args:
        paths: files and folders. A file is taken whatever its name; in folders, names decide
            (:data:`AUDIO_SUFFIXES`) and hidden files and folders are passed over.

    Returns:
        Files in the order given, those of a folder sorted; none twice.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if a folder holds no audio file.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            below = [
                file
                for file in sorted(path.rglob("*"))
                if file.suffix.lower() in AUDIO_SUFFIXES
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and file.is_file()
            ]
            if not below:
                raise ValueError(f"no audio files in the folder {path}")
            found.update(dict.fromkeys(below))
        elif path.exists():
            found[path] = None
        else:
            raise FileNotFoundError(f"no such file or folder: {path}")
    return list(found)


def _resampled(path: Path, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Mono pieces of any length at the rate wanted; at least one sample altogether."""
    if not isinstance(sample_rate, int) or sample_rate < 1:
        raise ValueError(f"sample_rate must be a positive integer, got {sample_rate!r}")
    with _opened(path) as file:
        if file.samplerate == sample_rate:
            yield from _decoded(path, file)
            return
        resampler = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
        n_out = 0
        piece = np.zeros(0, np.float32)
        for piece in _decoded(path, file):
            resampled = resampler.resample_chunk(piece)
            n_out += len(resampled)
            yield resampled
        rest = resampler.resample_chunk(piece[:0], last=True)
        # A file of less than one sample at the new rate still is a sound: its mean.
        yield rest if n_out + len(rest) else piece.mean(keepdims=True)


def _opened(path: Path) -> soundfile.SoundFile:
    if path.is_dir():
        raise AudioFileError(f"{path}: expected an audio file, got a folder")
    if not path.exists():
        raise FileNotFoundError(f"no such audio file: {path}")
    if path.is_file() and path.stat().st_size == 0:
        raise AudioFileError(f"{path}: the file is empty")
    try:
        file = _Sequential(path)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        # TypeError: what soundfile says to headerless formats, which need a rate that nobody knows.
        raise AudioFileError(f"{path}: not an audio file that can be read ({_reason(error)})") from error
    for promised, present in _SHORTER_THAN_PROMISED.findall(file.extra_info):
        if int(present) < int(promised) < _LENGTH_UNKNOWN:
            file.close()
            raise AudioFileError(f"{path}: truncated: {present} of {promised} bytes of audio are there")
    return file


def _decoded(path: Path, file: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    """Mono pieces at the file's own rate, each of at least one sample."""
    n_read = 0
    while True:
        try:
            samples = file.read(_DECODE_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioFileError(
                f"{path}: damaged or truncated: decoding fails after {n_read / file.samplerate:.2f} s "
                f"({_reason(error)})"
            ) from error
        if not len(samples):
            break
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
        if not np.isfinite(mono).all():
            first = (n_read + int(np.argmin(np.isfinite(mono)))) / file.samplerate
            raise AudioFileError(f"{path}: holds NaN or infinite samples, the first at {first:.3f} s")
        n_read += len(samples)
        yield mono
    if n_read == 0:
        raise AudioFileError(f"{path}: holds no samples")
    if n_read < file.frames and file.format not in ("OGG", "MP3", "MPEG"):
        raise AudioFileError(f"{path}: truncated: {n_read} of {file.frames} samples are there")


def _reason(error: Exception) -> str:
    """libsndfile's own words, without the path that the message begins with already."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".") or type(error).__name__
