"""MFCC statistics: mean and standard deviation over time of 20 MFCCs and their first and second differences.

Timestamps are every 40 ms from 0. Their embeddings are the statistics of the surrounding 370 ms, truncated at the
clip's ends. librosa computes the frames, one every 10 ms.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.moments import HOP_FRAMES, moments, windowed_moments
from benchmark.baselines.weights import need_package

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: Samples from one frame to the next.
FRAME_HOP = 160


def mfcc_series(clip: Tensor) -> Tensor:
    """20 MFCCs with their differences of first and second order: ``(n_samples,)`` to ``(60, n_frames)`` float32."""
    import librosa

    with warnings.catch_warnings():
        # librosa warns of clips that are shorter than its window, and pads them with zeros as intended.
        warnings.filterwarnings("ignore", message="n_fft=")
        mfcc = librosa.feature.mfcc(y=clip.cpu().numpy(), sr=16000, n_mfcc=20, n_fft=1024, hop_length=FRAME_HOP)
    differences = [librosa.feature.delta(mfcc, order=order, mode="nearest") for order in (1, 2)]
    return torch.from_numpy(np.concatenate([mfcc, *differences]).astype(np.float32))


class MfccStatistics(Baseline):
    """Moments of MFCCs, without weights."""

    embedding_version = 1
    scene_embedding_size = 120
    timestamp_embedding_size = 120
    hop = FRAME_HOP * HOP_FRAMES
    centre = 0.0

    def frames(self, clip: Tensor) -> Tensor:
        return windowed_moments(mfcc_series(clip))

    def scene(self, clip: Tensor) -> Tensor:
        return moments(mfcc_series(clip))


def load_model(model_file_path: str = "") -> MfccStatistics:
    """The model, which has no weights.

    Raises:
        ValueError: if ``model_file_path`` is not empty.
        Unavailable: if librosa is not installed.
    """
    if model_file_path:
        raise ValueError(f"MFCC statistics have no weights, got {model_file_path!r}")
    version = need_package("librosa", "pip install librosa")
    note = "librosa, 20 MFCCs and two orders of differences, mean and standard deviation over time"
    return MfccStatistics(f"librosa-{version}", note).eval()
