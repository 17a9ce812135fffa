"""The project's transformer with random weights, which pre-training has to beat.

Timestamps are those of the trained networks, every 40 ms from 15 ms. The statistics of the log-mel spectrogram are
those of the network "both".
"""

from __future__ import annotations

from benchmark.baselines.untrained import network_of_seed, untrained_network
from byola_hear import get_scene_embeddings, get_timestamp_embeddings
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]


def untrained_model(seed: int, mean: float, std: float) -> ByolaModel:
    """A transformer of the package's usual shape with random weights.

    Args:
        seed: seed of the weights.
        mean: mean of the log-mel spectrogram.
        std: its standard deviation.
    """
    return untrained_network("untrained_transformer", TransformerConfig(), MAX_MEAN, seed, mean, std)


def load_model(model_file_path: str = "") -> ByolaModel:
    """Load an untrained transformer: see :func:`benchmark.baselines.untrained.network_of_seed`."""
    return network_of_seed(model_file_path, untrained_model)
