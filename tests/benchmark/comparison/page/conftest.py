"""A small network for maps."""

from __future__ import annotations

import pytest

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


@pytest.fixture
def small() -> ByolaModel:
    config = ModelConfig("small", "1", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -5.0, 4.0)
    return ByolaModel(config).eval()
