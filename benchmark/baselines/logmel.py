"""Log-mel statistics: mean and standard deviation over time of each of the front end's 64 bands.

Timestamps are every 40 ms from 0. Their embeddings are the statistics of the surrounding 370 ms, truncated at the
clip's ends.
"""

from __future__ import annotations

from torch import Tensor

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.moments import HOP_FRAMES, moments, windowed_moments
from byola_hear.models.frontend import log_mel

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: Samples from one log-mel frame to the next.
FRAME_HOP = 160


class LogMelStatistics(Baseline):
    """Moments of the log-mel spectrogram, without weights."""

    embedding_version = 1
    scene_embedding_size = 128
    timestamp_embedding_size = 128
    hop = FRAME_HOP * HOP_FRAMES
    centre = 0.0

    def frames(self, clip: Tensor) -> Tensor:
        return windowed_moments(log_mel(clip))

    def scene(self, clip: Tensor) -> Tensor:
        return moments(log_mel(clip))


def load_model(model_file_path: str = "") -> LogMelStatistics:
    """The model, which has no weights.

    Raises:
        ValueError: if ``model_file_path`` is not empty.
    """
    if model_file_path:
        raise ValueError(f"log-mel statistics have no weights, got {model_file_path!r}")
    note = "log-mel spectrogram, mean and standard deviation over time of each of 64 bands"
    return LogMelStatistics("moments", note).eval()
