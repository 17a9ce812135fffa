"""A second kind of encoder: what the package asks of it, and that one entry makes everything work with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.checkpoint import CheckpointError, read_header, save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.registry import KINDS, EncoderKind, encoder_from_dict, encoder_to_dict
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo, describe_model


@dataclass(frozen=True)
class ToyConfig:
    """Frame features of two log-mel frames that see ``reach`` log-mel frames on each side, or their block."""

    kind: ClassVar[str] = "toy"
    stride: ClassVar[int] = 2
    n_mels: int = 16
    feature_size: int = 5
    reach: int = 0
    block: int = 1

    @property
    def overlap(self) -> int:
        return -(-self.reach // self.stride)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class ToyEncoder(FrameEncoder):
    config: ToyConfig

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(config.n_mels, config.feature_size)

    def forward(self, log_mel: Tensor, lengths: Tensor | None = None) -> Tensor:
        assert lengths is None
        form = ToyInference(self)
        return self.linear(form.in_context(log_mel[:, 0].transpose(1, 2)))


class ToyInference:
    def __init__(self, encoder: ToyEncoder) -> None:
        self.encoder, self.config = encoder, encoder.config

    @property
    def device(self) -> torch.device:
        return self.encoder.linear.weight.device

    def in_context(self, frames: Tensor) -> Tensor:
        width = 2 * self.config.reach + 1
        x = functional.pad(frames.transpose(1, 2), (self.config.reach, self.config.reach))
        x = functional.avg_pool1d(x, width, 1)
        x = functional.avg_pool1d(x, 2, ceil_mode=True).transpose(1, 2)
        blocks = x.split(self.config.block, dim=1)
        return torch.cat([block + block.amax(1, keepdim=True) for block in blocks], dim=1)

    def per_frame(self, hidden: Tensor) -> Tensor:
        with torch.no_grad():
            return self.encoder.linear(hidden)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one entry."""
    monkeypatch.setitem(KINDS, "toy", EncoderKind(ToyConfig, ToyEncoder, ToyInference))


@pytest.fixture(params=["overlap", "blocks"])
def model(request: pytest.FixtureRequest) -> Iterator[ByolaModel]:
    """A model whose frame features see their neighbours, and one whose frame features see their block."""
    shape = ToyConfig(reach=5) if request.param == "overlap" else ToyConfig(block=7)
    torch.manual_seed(0)
    yield ByolaModel(ModelConfig("toy", "1", FrontendConfig(n_mels=16), shape, -8.0, 4.5, window_frames=5)).eval()


def noise(n_samples: int) -> Tensor:
    return torch.rand(n_samples, generator=torch.Generator().manual_seed(n_samples)) - 0.5


def test_the_configuration_survives_json(model: ByolaModel) -> None:
    data = json.loads(json.dumps(model.config.to_dict()))
    assert data["encoder"]["kind"] == "toy"
    assert ModelConfig.from_dict(data) == model.config


def test_checkpoints(model: ByolaModel, tmp_path: Path) -> None:
    sha256 = save_checkpoint(tmp_path / "toy.safetensors", model, torch.float32)
    loaded = load_checkpoint(tmp_path / "toy.safetensors", sha256)
    assert loaded.config == model.config
    assert loaded.fingerprint() == model.fingerprint()
    assert torch.equal(loaded.scene_embeddings([noise(3000)]), model.scene_embeddings([noise(3000)]))


@pytest.mark.parametrize("n_samples", [1, 700, 9000])
def test_embeddings_are_the_plain_networks(model: ByolaModel, n_samples: int) -> None:
    clip = noise(n_samples)
    with torch.no_grad():
        frames = model(clip[None])[0]
    scene = model.scene_embeddings(clip[None])[0]
    assert scene.shape == (model.scene_embedding_size,) == (5,)
    torch.testing.assert_close(scene, frames.amax(0) + frames.mean(0), rtol=1e-5, atol=1e-5)
    embeddings, times = model.timestamp_embeddings(clip[None])
    assert torch.equal(times[0], (5 + 20.0 * torch.arange(len(times[0]))).clamp(max=n_samples / 16))
    first = frames[:3]
    torch.testing.assert_close(embeddings[0, 0], first.amax(0) + first.mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.5])
def test_cuts_batches_and_streams_change_nothing(model: ByolaModel, seconds: float) -> None:
    clips = [noise(n_samples) for n_samples in (20_000, 1, 4_321, 320)]
    scenes = [model.scene_embeddings([clip])[0] for clip in clips]
    frames = [model.timestamp_embeddings([clip])[0][0] for clip in clips]
    model.segment_seconds = seconds
    for index, (together, along) in enumerate(
        zip(model.scene_embeddings(clips), model.timestamp_embeddings(clips)[0], strict=True)
    ):
        torch.testing.assert_close(together, scenes[index], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(along, frames[index], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(model.stream_scene(clips[index].split(333)), scenes[index], rtol=1e-5, atol=1e-5)


def test_the_toys_need_what_they_ask_for(model: ByolaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without overlap or blocks the cuts would show: the test above can fail."""
    clip = noise(20_000)
    whole = model.scene_embeddings([clip])
    model.segment_seconds = 0.3
    computed = model.frame_features()
    computed.overlap, computed.block, computed.size = 0, 1, 13
    monkeypatch.setattr(model, "frame_features", lambda: computed)
    assert (model.scene_embeddings([clip]) - whole).abs().max() > 1e-3


def test_the_card(model: ByolaModel, tmp_path: Path) -> None:
    add_to_zoo(model, tmp_path)
    card = describe_model("toy", tmp_path)
    assert card["encoder"] == {"kind": "toy", **model.config.encoder.to_dict()}
    assert (card["frame_ms"], card["window_ms"]) == (20, 100)
    assert (card["scene_embedding_size"], card["parameters"]) == (5, 16 * 5 + 5)


def test_fine_tuning_reaches_every_weight(model: ByolaModel) -> None:
    model(noise(3000)[None]).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_kind_without_an_entry_is_refused(model: ByolaModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / "toy.safetensors", model)
    monkeypatch.delitem(KINDS, "toy")
    with pytest.raises(
        CheckpointError, match="expected an encoder of kind 'convolutional' or 'transformer', got 'toy'"
    ) as caught:
        read_header(tmp_path / "toy.safetensors")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="the configuration of a known kind of encoder, got FrontendConfig and ToyC"):
        replace(model.config, version="2")


def test_dictionaries_without_a_kind_are_convolutional() -> None:
    config = EncoderConfig(channels=8)
    assert encoder_from_dict(encoder_to_dict(config)) == encoder_from_dict(config.to_dict()) == config


@pytest.mark.parametrize("kind", ["spiking", "", None, 3, []])
def test_unknown_kinds_are_refused(kind: object) -> None:
    with pytest.raises(ValueError, match=r"expected an encoder of kind 'convolutional' or 'toy' or 'transformer', got"):
        encoder_from_dict({"kind": kind, **EncoderConfig().to_dict()})
