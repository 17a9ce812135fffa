"""One row of a manifest, decoded and transformed in pieces: hours take a little over twice their mono samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from byola_hear.models.frontend import FrontendConfig, frame_count, log_mel_range
from byola_hear.pretraining.data.manifest import ManifestClip

#: Samples decoded and frames transformed at a time.
PIECE_SAMPLES, PIECE_FRAMES = 1 << 20, 6000


class _Sequential(soundfile.SoundFile):
    """A file read piece after piece: soundfile's own seek after each would leave gaps in an MP3."""

    def seekable(self) -> bool:
        return False


def read_clip(clip: ManifestClip, folder: Path, sample_rate: int) -> np.ndarray:
    """Decode one row of a manifest.

    Args:
        clip: the row.
        folder: the manifest's folder.
        sample_rate: Hz wanted.

    Returns:
        ``(n_samples,)`` float32 mono.

    Raises:
        ValueError: if the file is missing, unreadable, empty or holds values that are not finite.
    """
    path = folder / clip.path
    try:
        with _Sequential(path) as file:
            pieces = [np.zeros(0, np.float32), *_at_rate(_mono(file, clip), file.samplerate, sample_rate)]
    except TypeError:
        # What soundfile says to a file without a header.
        raise ValueError(f"{path}: expected a file that says its rate, got one without a header") from None
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise ValueError(f"{path}: {error}") from None
    audio = np.concatenate(pieces)
    if len(audio) == 0:
        raise ValueError(f"{path}: no samples")
    if not np.isfinite(audio).all():
        raise ValueError(f"{path}: samples that are not finite numbers")
    return audio


def _mono(file: soundfile.SoundFile, clip: ManifestClip) -> Iterator[np.ndarray]:
    """The row's samples ``(n_samples,)``, the channels averaged, in pieces at the file's own rate."""
    start = round((clip.start_s or 0.0) * file.samplerate)
    left = math.inf if clip.end_s is None else round(clip.end_s * file.samplerate) - start
    if start:
        file.seek(start)
    while left > 0 and len(samples := file.read(int(min(left, PIECE_SAMPLES)), dtype="float32", always_2d=True)):
        left -= len(samples)
        yield samples.mean(axis=1)


def _at_rate(pieces: Iterator[np.ndarray], rate: int, wanted: int) -> Iterator[np.ndarray]:
    """Pieces ``(n_samples,)`` at another rate; both in Hz."""
    if rate == wanted:
        yield from pieces
        return
    resampler = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield resampler.resample_chunk(piece)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def cached_log_mel(clip: ManifestClip, folder: Path, frontend: FrontendConfig) -> np.ndarray:
    """One row as it is stored: ``(n_frames, n_mels)`` float16."""
    audio = torch.from_numpy(read_clip(clip, folder, frontend.sample_rate))
    n_frames = frame_count(len(audio), frontend)
    firsts = range(0, n_frames, PIECE_FRAMES)
    pieces = [log_mel_range(audio, frontend, first, min(first + PIECE_FRAMES, n_frames)).T.half() for first in firsts]
    return torch.cat(pieces).contiguous().numpy()
