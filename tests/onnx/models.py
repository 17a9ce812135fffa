"""Small models of several shapes."""

from __future__ import annotations

from dataclasses import replace

import torch

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.transformer import AVERAGE, TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

V2 = (FrontendConfig(), EncoderConfig(channels=4, hidden_size=16))
TRANSFORMER = (FrontendConfig(), TransformerConfig(width=16, n_layers=3, n_heads=2, context=13, taken=(1, 2)))
SHAPES: dict[str, tuple[FrontendConfig, EncoderShape]] = {
    "v2": V2,
    "v1": (FrontendConfig(mel_scale="htk", mel_norm="none"), EncoderConfig(64, 3, 4, 16, concatenate_local=False)),
    "transformer": TRANSFORMER,
    "average": (FrontendConfig(), replace(TRANSFORMER[1], combine=AVERAGE)),
    # A short window in a transform of an odd length; the hop has no common divisor with it.
    "odd": (FrontendConfig(8000, 405, 301, 77, 16, 0.0, 4000.0), EncoderConfig(16, 1, 3, 5)),
    # Windows that do not touch: no window sees the samples between them.
    "gaps": (FrontendConfig(16000, 256, 256, 384, 8, 60.0, 7800.0), EncoderConfig(8, 2, 3, 5)),
}


def model_of(frontend: FrontendConfig, encoder: EncoderShape, window_frames: int = 9) -> ByolaModel:
    torch.manual_seed(0)
    config = ModelConfig("test", "1.0", frontend, encoder, mean=-8.0, std=4.5, window_frames=window_frames)
    model = ByolaModel(config).eval()
    for name, values in model.encoder.state_dict().items():
        if "running" in name:
            values.copy_(torch.rand_like(values) + 0.5)
        elif encoder.kind == "transformer":
            values.copy_(0.2 * torch.randn_like(values) + ("norm.weight" in name))
    return model
