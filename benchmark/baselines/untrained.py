"""The project's own network with PyTorch's initial weights, which pre-training has to beat.

Timestamps are those of the trained networks, every 40 ms from 15 ms. The statistics of the log-mel spectrogram are
those of the network "both".
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmark.baselines.weights import Unavailable
from byola_hear import __version__, get_scene_embeddings, get_timestamp_embeddings, list_models
from byola_hear import load_model as load_network
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]


def untrained_model(seed: int, mean: float, std: float) -> ByolaModel:
    """A network of the v2 shape with PyTorch's initial weights.

    Args:
        seed: seed of the weights.
        mean: mean of the log-mel spectrogram.
        std: its standard deviation.
    """
    return untrained_network("untrained", EncoderConfig.v2(), MAX_MEAN, seed, mean, std)


def untrained_network(name: str, encoder: EncoderShape, pooling: str, seed: int, mean: float, std: float) -> ByolaModel:
    """A network of any shape with its initial weights.

    Args:
        name: name of the network.
        encoder: its shape.
        pooling: how frame features become an embedding.
        seed: seed of the weights.
        mean: mean of the log-mel spectrogram.
        std: its standard deviation.
    """
    config = ModelConfig(
        name=name,
        version=__version__,
        frontend=FrontendConfig(),
        encoder=encoder,
        mean=mean,
        std=std,
        training={},
        pooling=pooling,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ByolaModel(config).eval()


def load_model(model_file_path: str = "") -> ByolaModel:
    """Load an untrained network: see :func:`network_of_seed`."""
    return network_of_seed(model_file_path, untrained_model)


def network_of_seed(model_file_path: str, make: Callable[[int, float, float], ByolaModel]) -> ByolaModel:
    """Make an untrained network with the input statistics of the network "both".

    Args:
        model_file_path: its seed, such as ``"1"``. If empty, 0.
        make: makes it from seed, mean and standard deviation.

    Raises:
        ValueError: if it is not a seed.
        Unavailable: if the network "both", whose statistics it uses, is not in this installation.
    """
    if model_file_path and not (model_file_path.isascii() and model_file_path.isdigit()):
        raise ValueError(f"expected a seed for the untrained network, got {model_file_path!r}")
    if "both" not in list_models():
        raise Unavailable("needs the network both, whose input statistics it uses; it is not in this installation")
    config = load_network("both").config
    return make(int(model_file_path or 0), config.mean, config.std)
