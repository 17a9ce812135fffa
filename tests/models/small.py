"""Small models with random weights."""

from __future__ import annotations

from dataclasses import replace

import torch

from byola_hear.models.config import ModelConfig
from byola_hear.models.directions import Directions
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

CONFIG = ModelConfig(
    name="both",
    version="2.0",
    frontend=FrontendConfig(n_mels=16),
    encoder=EncoderConfig(n_mels=16, channels=4, hidden_size=10),
    mean=-7.0,
    std=4.0,
    training={"hours": 12.5, "crops": 1000},
)


def small_model(name: str) -> ByolaModel:
    """A model whose weights depend on its name."""
    torch.manual_seed(sum(name.encode()))
    return ByolaModel(replace(CONFIG, name=name)).eval()


def with_directions(model: ByolaModel, count: int, seed: int = 0) -> ByolaModel:
    """The model with random directions of its own."""
    generator = torch.Generator().manual_seed(seed)
    size = model.config.encoder.feature_size
    mean, axes = torch.rand(size, generator=generator), torch.randn(size, count, generator=generator).half()
    scale = torch.linspace(1, 3, count)
    return model.with_directions(Directions(mean, axes, scale, model.fingerprint(), {"clips": 7}))
