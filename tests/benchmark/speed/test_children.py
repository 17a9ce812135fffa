"""Measurements in child processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmark.speed.children import ChildFailed, child_result, measured
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


@pytest.mark.slow
def test_memory_is_that_of_the_process_itself(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    config = ModelConfig("small", "1", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -5.0, 4.0)
    save_checkpoint(path, ByolaModel(config))
    ballast = torch.ones(250_000_000)
    result = measured("memory_of_tensor", str(path), "2")
    assert 1e8 < result["peak_bytes"] < 9e8
    assert result["tensor_bytes"] == 2 * 16000 * 4
    del ballast


def test_a_child_that_fails_is_one_line() -> None:
    with pytest.raises(ChildFailed, match="^nothing failed: KeyError: 'nothing'$"):
        child_result("benchmark.speed.children", "nothing")
