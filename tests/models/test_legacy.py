"""Published checkpoints: their shapes are recognised, and code in a pickle never runs."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from byola_hear.models.checkpoint import CheckpointError, save_checkpoint
from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.legacy import load_legacy
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel

HTK = FrontendConfig(mel_scale="htk", mel_norm="none")


def load(path: Path) -> ByolaModel:
    return load_legacy(path, frontend=HTK, mean=-5.4919, std=5.0389, licence="evaluation only")


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "config",
    [EncoderConfig.v1(512), EncoderConfig.v1(1024), EncoderConfig.v1(2048), EncoderConfig.v2()],
    ids=["v1-512", "v1-1024", "v1-2048", "v2"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
def test_published_shapes(config: EncoderConfig, zipped: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = Encoder(config).eval()
    path = tmp_path / "AudioNTT.pth"
    torch.save(encoder.state_dict(), path, _use_new_zipfile_serialization=zipped)
    model = load(path)
    assert model.config.encoder == config
    assert (model.config.name, model.config.licence) == ("AudioNTT", "evaluation only")
    assert (model.config.mean, model.config.std, model.config.frontend) == (-5.4919, 5.0389, HTK)
    assert not model.training
    log_mel = torch.randn(1, 1, 64, 24)
    with torch.no_grad():
        assert torch.equal(model.encoder(log_mel), encoder(log_mel))


def test_conversion(tmp_path: Path) -> None:
    torch.save(Encoder(EncoderConfig.v1(512)).state_dict(), tmp_path / "a.pth")
    sha256 = save_checkpoint(tmp_path / "a.safetensors", load(tmp_path / "a.pth"))
    assert load_checkpoint(tmp_path / "a.safetensors", sha256).config == load(tmp_path / "a.pth").config


class Malicious:
    """Creates a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("how", ["torch", "torch-old", "pickle"])
def test_code_in_a_pickle_is_refused(tmp_path: Path, how: str) -> None:
    content = {**Encoder(EncoderConfig.v1(512)).state_dict(), "fc.9.weight": Malicious(tmp_path / "mark")}
    path = tmp_path / "a.pth"
    if how == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "torch")
    assert "refused" in refusal(path)
    assert not (tmp_path / "mark").exists()
    # The trap itself works.
    pickle.loads(pickle.dumps(Malicious(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("fc.3.bias"), "missing tensors: fc.3.bias"),
        (lambda state: state.pop("features.0.weight"), "expected the tensors features.0.weight"),
        (lambda state: state.update(head=torch.zeros(3)), "unknown tensors: head"),
        (lambda state: state.update({"fc.3.bias": torch.zeros(7)}), "expected fc.3.bias of shape (512,), got (7,)"),
        (lambda state: state["fc.0.bias"].fill_(float("nan")), "fc.0.bias holds NaN"),
        (lambda state: state.update({"fc.0.weight": torch.zeros(3)}), "fc.0.weight of a BYOL-A network"),
        (lambda state: state.update({"fc.3.bias": "text"}), "expected tensors by name and nothing else"),
    ],
)  # fmt: skip
def test_other_networks_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    state = Encoder(EncoderConfig.v1(512)).state_dict()
    change(state)
    torch.save(state, tmp_path / "a.pth")
    assert message in refusal(tmp_path / "a.pth")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_text("no weights here")
    assert "refused" in refusal(path)
    path.write_bytes(b"")
    assert "refused" in refusal(path)
    torch.save([torch.zeros(2)], path)
    assert "got list" in refusal(path)
    assert "folder" in refusal(tmp_path)
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "b.pth"))):
        load(tmp_path / "b.pth")


def test_a_front_end_with_other_bands_is_refused(tmp_path: Path) -> None:
    torch.save(Encoder(EncoderConfig.v1(512)).state_dict(), tmp_path / "a.pth")
    with pytest.raises(ValueError, match="mel bands"):
        load_legacy(tmp_path / "a.pth", frontend=FrontendConfig(n_mels=32), mean=0, std=1)
