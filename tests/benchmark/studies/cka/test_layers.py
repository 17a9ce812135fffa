"""Activations by layer."""

from __future__ import annotations

import numpy as np
import torch

from benchmark.baselines.untrained import untrained_model
from benchmark.studies.cka.layers import activations, layer_names


def test_the_last_layer_is_the_embedding() -> None:
    model = untrained_model(0, -8.0, 4.5)
    clips = [np.random.default_rng(n).standard_normal(n).astype(np.float32) * 0.1 for n in (800, 5003, 16000)]
    found = activations(model, clips)
    assert list(found) == layer_names(model) == ["block 1", "block 2", "fc1", "fc2", "frame", "clip"]
    expected = model.scene_embeddings([torch.from_numpy(clip) for clip in clips]).numpy()
    np.testing.assert_allclose(found["clip"], expected, rtol=1e-4, atol=1e-5)
    # The second block is the local part of the frame feature, the second layer its global part.
    split = model.config.encoder.local_size
    local = found["block 2"].reshape(3, 64, 16).transpose(0, 2, 1).reshape(3, -1)
    np.testing.assert_allclose(local, found["frame"][:, :split], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["fc2"], found["frame"][:, split:], rtol=1e-5, atol=1e-6)
    assert all(not module._forward_hooks for module in model.modules())
