"""Activations by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmark.baselines.untrained import untrained_model, untrained_network
from benchmark.studies.cka.layers import activations, layer_names
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import log_mel
from byola_hear.models.pooling.combination import MEAN


def test_the_last_layer_is_the_embedding() -> None:
    model = untrained_model(0, -8.0, 4.5)
    clips = [np.random.default_rng(n).standard_normal(n).astype(np.float32) * 0.1 for n in (800, 5003, 16000)]
    found = activations(model, clips)
    assert list(found) == layer_names(model) == ["block 1", "block 2", "fc1", "fc2", "frame", "clip"]
    expected = model.scene_embeddings([torch.from_numpy(clip) for clip in clips]).numpy()
    np.testing.assert_allclose(found["clip"], expected, rtol=1e-4, atol=1e-5)
    # The second block is the local part of the frame feature, the second layer its global part.
    assert isinstance(model.config.encoder, EncoderConfig)
    split = model.config.encoder.local_size
    local = found["block 2"].reshape(3, 64, 16).transpose(0, 2, 1).reshape(3, -1)
    np.testing.assert_allclose(local, found["frame"][:, :split], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["fc2"], found["frame"][:, split:], rtol=1e-5, atol=1e-6)
    assert all(not module._forward_hooks for module in model.modules())


def test_a_transformers_layers_are_those_that_count() -> None:
    config = TransformerConfig(width=16, n_layers=3, n_heads=2, context=9, taken=(2,))
    model = untrained_network("small", config, MEAN, 0, -8.0, 4.5)
    clips = [np.random.default_rng(n).standard_normal(n).astype(np.float32) * 0.1 for n in (800, 16000)]
    found = activations(model, clips)
    assert list(found) == layer_names(model) == ["layer 1", "layer 2", "frame", "clip"]
    expected = model.scene_embeddings([torch.from_numpy(clip) for clip in clips]).numpy()
    np.testing.assert_allclose(found["clip"], expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        normalised = (log_mel(torch.from_numpy(clips[1])[None], model.config.frontend) + 8.0) / 4.5
        encoder: Any = model.encoder
        tokens = encoder.tokens(normalised.transpose(1, 2))
        blocks = [next(encoder.outputs(piece, torch.arange(piece.shape[1]))) for piece in tokens.split(9, dim=1)]
    np.testing.assert_allclose(found["layer 1"][1], torch.cat(blocks, dim=1)[0].mean(0), rtol=1e-4, atol=1e-5)


def test_layers_of_another_precision_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byola_hear.models.model.speeds", lambda *_: {"float32": 1.0, "int8": 2.0})
    model = untrained_model(0, -8.0, 4.5).in_precision("int8")  # its layers themselves compute in float32
    with pytest.raises(ValueError, match="expected networks in float32, whose layers can be read, got one in int8"):
        activations(model, [np.zeros(800, np.float32)])
