"""Decode a clip of a manifest and transform it piece by piece. Memory is a little over twice the mono samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from byola_hear.audio.reading import read_audio
from byola_hear.models.frontend import FrontendConfig, frame_count, log_mel_range
from byola_hear.pretraining.data.manifest import ManifestClip

#: Number of frames that are transformed at a time.
PIECE_FRAMES = 6000


def read_clip(clip: ManifestClip, folder: Path, sample_rate: int) -> np.ndarray:
    """Decode a clip of a manifest.

    Args:
        clip: the clip.
        folder: folder of the manifest.
        sample_rate: sample rate of the result, in Hz.

    Returns:
        ``(n_samples,)`` float32, mono.

    Raises:
        ValueError: if the file is missing, damaged, truncated or empty, is shorter than the clip, or contains
            values that are not finite.
    """
    path = folder / clip.path
    try:
        return read_audio(path, sample_rate, clip.start_s or 0.0, clip.end_s)
    except OSError as error:
        raise ValueError(f"{path}: {error}") from None


def cached_log_mel(clip: ManifestClip, folder: Path, frontend: FrontendConfig) -> np.ndarray:
    """Compute the log-mel of a clip as the cache stores it: ``(n_frames, n_mels)`` float16."""
    audio = torch.from_numpy(read_clip(clip, folder, frontend.sample_rate))
    n_frames = frame_count(len(audio), frontend)
    firsts = range(0, n_frames, PIECE_FRAMES)
    pieces = [log_mel_range(audio, frontend, first, min(first + PIECE_FRAMES, n_frames)).T.half() for first in firsts]
    return torch.cat(pieces).contiguous().numpy()
