"""Checkpoints: what is written is read back, and unusable files are refused with one clear line."""

from __future__ import annotations

import hashlib
import json
import re
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from byola_hear.models.checkpoint import FORMAT, CheckpointError, read_header, save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel

CONFIG = ModelConfig(
    name="small",
    version="1.2",
    frontend=FrontendConfig(n_mels=16, mel_scale="htk", mel_norm="none", f_max=7000.5),
    encoder=EncoderConfig(n_mels=16, channels=8, hidden_size=24),
    mean=-7.25,
    std=3.5,
    window_frames=5,
    licence="CC0-1.0",
    training={"hours": {"here": 1.5, "là-bas": 2}, "seed": 42},
)


@cache
def _trained() -> ByolaModel:
    torch.manual_seed(7)
    model = ByolaModel(CONFIG).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 4000) * 0.1)
    return model.eval()


def trained() -> ByolaModel:
    """A model that was trained a little, so that weights, statistics and counters are no initial values."""
    return deepcopy(_trained())


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, ByolaModel, str]:
    model = trained()
    path = tmp_path / "small.safetensors"
    return path, model, save_checkpoint(path, model)


def rewritten(path: Path, change: Any) -> Path:
    """The checkpoint with its tensors and header changed by a function, as a valid safetensors file."""
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        metadata = {key: json.loads(value) for key, value in file.metadata().items()}
    change(tensors, metadata)
    safetensors.torch.save_file(tensors, path, {key: json.dumps(value) for key, value in metadata.items()})
    return path


def refusal(path: Path, **arguments: Any) -> str:
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path, **arguments)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_round_trip(saved: tuple[Path, ByolaModel, str]) -> None:
    path, model, sha256 = saved
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    loaded = load_checkpoint(path, sha256)
    assert loaded.config == CONFIG
    assert not loaded.training and not any(module.training for module in loaded.modules())
    assert {parameter.device.type for parameter in loaded.parameters()} == {"cpu"}
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    audio = torch.randn(2, 8000, generator=torch.Generator().manual_seed(1)) * 0.1
    expected = model.scene_embeddings(audio)
    difference = (loaded.scene_embeddings(audio) - expected).abs().max()
    assert difference < 2e-3 * expected.abs().max()


def test_float32_is_exact(saved: tuple[Path, ByolaModel, str]) -> None:
    path, model, _ = saved
    save_checkpoint(path, model, torch.float32)
    loaded = load_checkpoint(path).encoder.state_dict()
    for name, tensor in model.encoder.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(loaded[name], tensor), name


def test_vectors_stay_float32_and_counters_stay_behind(saved: tuple[Path, ByolaModel, str]) -> None:
    for name, tensor in safetensors.torch.load_file(saved[0]).items():
        assert tensor.dtype == (torch.float16 if tensor.ndim > 1 else torch.float32)
        assert "num_batches" not in name


def test_the_header_names_kind_pooling_and_version(saved: tuple[Path, ByolaModel, str]) -> None:
    """Readers of format 1 know neither kind nor pooling. They refuse the file by its version, in a clear message."""
    with safetensors.safe_open(saved[0], "pt") as file:
        header = json.loads(file.metadata()[FORMAT])
    assert header["format_version"] == 2
    assert (header["config"]["encoder"]["kind"], header["config"]["pooling"]) == ("convolutional", "max+mean")


def test_format_1_is_read_as_convolutional(saved: tuple[Path, ByolaModel, str]) -> None:
    path, _, sha256 = saved
    before = load_checkpoint(path).fingerprint()

    def old(tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
        header = metadata[FORMAT]
        header["format_version"] = 1
        del header["config"]["pooling"], header["config"]["encoder"]["kind"]

    loaded = load_checkpoint(rewritten(path, old))
    assert loaded.config == CONFIG
    assert loaded.fingerprint() == before
    assert save_checkpoint(path, loaded) == sha256


def test_same_model_same_bytes(saved: tuple[Path, ByolaModel, str], tmp_path: Path) -> None:
    path, model, sha256 = saved
    assert save_checkpoint(tmp_path / "again.safetensors", model) == sha256
    assert save_checkpoint(path, load_checkpoint(path)) == sha256
    other = ByolaModel(replace(CONFIG, version="1.3"), model.encoder)
    assert save_checkpoint(tmp_path / "other.safetensors", other) != sha256


def test_loaded_models_can_be_trained(saved: tuple[Path, ByolaModel, str]) -> None:
    model = load_checkpoint(saved[0]).train()
    model(torch.randn(4, 4000) * 0.1).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    encoder: Any = model.encoder
    assert int(encoder.features[1].num_batches_tracked) == 1


def test_the_header_alone_is_enough_for_the_configuration(saved: tuple[Path, ByolaModel, str]) -> None:
    config, shapes = read_header(saved[0])
    assert config == CONFIG
    assert shapes["fc.0.weight"] == (24, 32)


@pytest.mark.parametrize("config", [EncoderConfig.v1(512), EncoderConfig.v2()], ids=["v1", "v2"])
def test_published_shapes(config: EncoderConfig, tmp_path: Path) -> None:
    model = ByolaModel(ModelConfig("full", "1", FrontendConfig(), config, -7.0, 4.0))
    sha256 = save_checkpoint(tmp_path / "a.safetensors", model)
    loaded = load_checkpoint(tmp_path / "a.safetensors", sha256)
    assert loaded.scene_embedding_size == config.feature_size
    assert (tmp_path / "a.safetensors").stat().st_size < 2.1 * sum(p.numel() for p in model.parameters())


def test_a_failed_write_leaves_what_was_there(saved: tuple[Path, ByolaModel, str]) -> None:
    path, model, _ = saved
    before = path.read_bytes()
    encoder: Any = model.encoder
    with torch.no_grad():
        encoder.fc[0].weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"fc\.0\.weight holds values that are not finite as torch\.float16"):
        save_checkpoint(path, model)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_weights_of_another_network_are_not_written(saved: tuple[Path, ByolaModel, str]) -> None:
    path, model, _ = saved
    before = path.read_bytes()
    encoder: Any = model.encoder
    encoder.fc[3] = torch.nn.Sequential(encoder.fc[3])  # as an adapter around the layer
    with pytest.raises(CheckpointError, match=r" not written: missing tensors: fc\.3\.bias, fc\.3\.weight$"):
        save_checkpoint(path, model)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_compiled_network_has_the_same_names(saved: tuple[Path, ByolaModel, str]) -> None:
    path, model, sha256 = saved
    fingerprint = model.fingerprint()
    model.encoder = torch.compile(model.encoder, backend="eager")  # type: ignore[assignment]
    assert save_checkpoint(path, model) == sha256
    assert model.fingerprint() == fingerprint


def test_writing_into_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        save_checkpoint(tmp_path / "none" / "a.safetensors", trained())


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "a.safetensors"))):
        load_checkpoint(tmp_path / "a.safetensors")
    assert "folder" in refusal(tmp_path)


def test_another_hash_is_refused(saved: tuple[Path, ByolaModel, str]) -> None:
    path, _, sha256 = saved
    load_checkpoint(path, sha256.upper())
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert f"expected SHA-256 {sha256}" in refusal(path, expected_sha256=sha256)


@pytest.mark.parametrize("content", [b"", b"{}", b"Not at all.\n" * 50, bytes(100), b"\x02" + bytes(7) + b"[]"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert "not a safetensors file" in refusal(path)


def test_a_pickle_is_refused_with_a_hint(tmp_path: Path) -> None:
    torch.save(trained().encoder.state_dict(), tmp_path / "a.pth")
    assert "not a safetensors file; `byola-hear convert a.pth -o a.safetensors` makes one of a .pth" in refusal(
        tmp_path / "a.pth"
    )


@pytest.mark.parametrize("kept", [0.0001, 0.01, 0.5, 0.999])
def test_truncated_files_are_refused(saved: tuple[Path, ByolaModel, str], kept: float) -> None:
    path = saved[0]
    content = path.read_bytes()
    path.write_bytes(content[: max(int(len(content) * kept), 12)])
    assert "truncated" in refusal(path)
    with pytest.raises(CheckpointError, match="truncated"):
        read_header(path)


def test_every_damaged_byte_of_the_header_is_one_clear_error(saved: tuple[Path, ByolaModel, str]) -> None:
    """Or no error, where the byte belongs to free text; but never another exception."""
    path = saved[0]
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    for place in range(0, 8 + length, 37):
        for value in (0, 0x22, 0x39, 0xFF):
            path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
            try:
                load_checkpoint(path)
            except CheckpointError as error:
                assert "\n" not in str(error)


def test_missing_and_damaged_configurations_are_refused(saved: tuple[Path, ByolaModel, str]) -> None:
    path = saved[0]
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    assert f"its header has no {FORMAT!r} configuration" in refusal(path)
    safetensors.torch.save_file({"a": torch.zeros(2)}, path, {FORMAT: "[1, 2"})
    assert "unusable configuration" in refusal(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.update(format_version=99), "version 1 or 2, got 99; a newer byola_hear may read it"),
        (lambda header: header.update(format_version=0), "expected checkpoint format version 1 or 2, got 0"),
        (lambda header: header.update(format_version="2"), "expected checkpoint format version 1 or 2, got '2'"),
        (lambda header: header["config"]["encoder"].update(kind="spiking"), "got 'spiking'"),
        (
            lambda header: header["config"].update(pooling="median"),
            "pooling must be 'max+mean' or 'mean', got 'median'",
        ),
        (lambda header: header.pop("config"), "unusable configuration"),
        (lambda header: header["config"].pop("std"), "missing: std"),
        (lambda header: header["config"].update(colour="red"), "unknown: colour"),
        (lambda header: header["config"].update(std=-1), "std must be positive, got -1"),
        (lambda header: header["config"]["frontend"].update(hop_length=0), "hop_length must be a positive"),
        (lambda header: header["config"]["encoder"].update(n_blocks=10**6), "unusable configuration"),
        (lambda header: header["config"]["encoder"].update(n_blocks=10**400), "unusable configuration"),
        (lambda header: header["config"]["frontend"].update(sample_rate=10**400), "unusable configuration"),
        (lambda header: header["config"].update(mean=10**400), "unusable configuration"),
        (lambda header: header["config"]["encoder"].update(hidden_size=10**30), "no network of this shape"),
        (lambda header: header["config"]["encoder"].update(hidden_size=10**9), "expected fc.0.weight of shape"),
    ],
)
def test_impossible_configurations_are_refused(saved: tuple[Path, ByolaModel, str], change: Any, message: str) -> None:
    rewritten(saved[0], lambda tensors, metadata: change(metadata[FORMAT]))
    assert message in refusal(saved[0])


def _transpose(tensors: dict[str, torch.Tensor]) -> None:
    tensors["fc.0.weight"] = tensors["fc.0.weight"].T.contiguous()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_transpose, "expected fc.0.weight of shape (24, 32), got (32, 24)"),
        (lambda tensors: tensors.pop("features.5.running_var"), "missing tensors: features.5.running_var"),
        (lambda tensors: tensors.update(extra=torch.zeros(2)), "unknown tensors: extra"),
        (lambda tensors: tensors["fc.3.bias"].fill_(float("nan")), "fc.3.bias holds NaN or infinite values"),
        (lambda tensors: tensors["fc.0.weight"].fill_(float("inf")), "fc.0.weight holds NaN or infinite"),
        (lambda tensors: tensors.update({"fc.3.bias": torch.zeros(24, dtype=torch.int32)}), "int32"),
        (
            lambda tensors: tensors.update({"fc.3.bias": torch.full((24,), 1e300, dtype=torch.float64)}),
            "NaN or infinite",
        ),
        pytest.param(
            lambda tensors: tensors.update({"fc.3.bias": torch.ones(24).to(torch.float8_e8m0fnu)}),
            "F8_E8M0",
            marks=pytest.mark.skipif(not hasattr(torch, "float8_e8m0fnu"), reason="torch has no such type before 2.7"),
        ),
    ],
)
def test_other_tensors_are_refused(saved: tuple[Path, ByolaModel, str], change: Any, message: str) -> None:
    rewritten(saved[0], lambda tensors, metadata: change(tensors))
    assert message in refusal(saved[0])


def test_weights_of_other_floating_point_types_are_read(saved: tuple[Path, ByolaModel, str]) -> None:
    rewritten(saved[0], lambda tensors, _: tensors.update({"fc.3.bias": torch.ones(24).to(torch.float8_e4m3fn)}))
    assert load_checkpoint(saved[0]).encoder.state_dict()["fc.3.bias"].tolist() == [1.0] * 24
