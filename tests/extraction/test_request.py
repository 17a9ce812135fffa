"""Requests: what can be asked of a clip, and what identifies the answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from byola_hear.extraction.request import request_for
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    """A small network; its size is not what matters here."""
    torch.manual_seed(0)
    config = ModelConfig(
        "small", "1", FrontendConfig(n_mels=16), EncoderConfig(n_mels=16, channels=4, hidden_size=10), -7.0, 4.0
    )
    return ByolaModel(config).eval()


def test_a_request_is_plain_json(model: ByolaModel) -> None:
    request = request_for(model, "scene", np.float32(0.5), np.int64(1))
    assert request == request_for(model, "scene", 0.5, 1)
    assert json.loads(json.dumps(request.to_dict())) == request.to_dict()
    assert (request.window, request.hop, request.model, request.size) == (0.5, 1.0, "small 1", 26)
    assert request_for(model, "scene", 0.5).hop == 0.5 and request_for(model, "timestamp", 0.5).hop is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "clip"}, "kind must be 'scene' or 'timestamp', got 'clip'"),
        ({"window": 0}, "window must be a positive number of seconds, got 0"),
        ({"kind": "timestamp", "hop": float("nan")}, "hop must be a positive number of seconds, got nan"),
        ({"hop": 1.0}, "needs a window"),
        ({"window": True}, "window must be a positive number of seconds, got True"),
        ({"window": "1"}, "window must be a positive number of seconds, got '1'"),
        ({"window": 1e-9}, "window must be at least one sample, 6.25e-05 s, got 1e-09"),
    ],
)
def test_what_cannot_be_asked_for(model: ByolaModel, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request_for(model, **arguments)


def test_the_fingerprint_is_of_what_decides_the_embeddings(model: ByolaModel) -> None:
    twin = ByolaModel(ModelConfig(**{**vars(model.config), "name": "renamed"}), model.encoder)
    assert twin.fingerprint() == model.fingerprint()
    other = ByolaModel(ModelConfig(**{**vars(model.config), "mean": -6.5}), model.encoder)
    assert other.fingerprint() != model.fingerprint()
    assert ByolaModel(model.config).fingerprint() != model.fingerprint()
