"""What the tests of classifiers share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


@pytest.fixture(scope="session")
def model() -> ByolaModel:
    """A small network with random weights."""
    torch.manual_seed(0)
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    return ByolaModel(ModelConfig("small", "1.0", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
