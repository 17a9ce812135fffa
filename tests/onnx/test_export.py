"""ONNX files: onnxruntime gives what torch gives, for any shape of network, any length and any batch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from byola_hear.audio.reading import read_audio
from byola_hear.cli.main import main
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig, log_mel
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo
from byola_hear.onnx import export as exporting
from byola_hear.onnx.export import TOLERANCE, OnnxError, export_onnx, largest_difference, open_session, to_onnx
from byola_hear.onnx.graph import fourier

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

V2 = (FrontendConfig(), EncoderConfig(channels=4, hidden_size=16))
SHAPES = {
    "v2": V2,
    "v1": (FrontendConfig(mel_scale="htk", mel_norm="none"), EncoderConfig(64, 3, 4, 16, concatenate_local=False)),
    # A short window off centre in a transform of an odd length, whose distance has no divisor with it.
    "odd": (FrontendConfig(8000, 405, 301, 77, 16, 0.0, 4000.0), EncoderConfig(16, 1, 3, 5)),
    # Windows that do not touch each other: samples between them are heard by none.
    "gaps": (FrontendConfig(16000, 256, 256, 384, 8, 60.0, 7800.0), EncoderConfig(8, 2, 3, 5)),
}


def model_of(frontend: FrontendConfig, encoder: EncoderConfig, window_frames: int = 9) -> ByolaModel:
    torch.manual_seed(0)
    config = ModelConfig("test", "1.0", frontend, encoder, mean=-8.0, std=4.5, window_frames=window_frames)
    model = ByolaModel(config).eval()
    for name, values in model.encoder.state_dict().items():
        if "running" in name:
            values.copy_(torch.rand_like(values) + 0.5)
    return model


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) - 0.5


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ByolaModel, Any]]:
    """A small model of the v2 shape and the sessions of its two files."""
    model = model_of(*V2)
    folder = tmp_path_factory.mktemp("small")
    sessions = {}
    for kind in exporting.KINDS:
        export_onnx(model, folder / f"{kind}.onnx", kind)
        sessions[kind] = (model, open_session(folder / f"{kind}.onnx"))
    return sessions


@pytest.mark.parametrize("kind", exporting.KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_network_agrees_with_torch(tmp_path: Path, shape: str, kind: str) -> None:
    model = model_of(*SHAPES[shape], window_frames=1 if shape == "odd" else 5)
    difference = export_onnx(model, tmp_path / "model.onnx", kind)
    assert difference < TOLERANCE / 4


@pytest.mark.parametrize("kind", exporting.KINDS)
@given(n_samples=st.integers(1, 20000), batch=st.integers(1, 3), volume=st.sampled_from([1.0, 1e-2, 1e-5, 0.0]))
@settings(max_examples=40)
def test_any_length_and_any_batch(
    small: dict[str, tuple[ByolaModel, Any]], kind: str, n_samples: int, batch: int, volume: float
) -> None:
    model, session = small[kind]
    assert largest_difference(model, session, kind, noise(batch, n_samples) * volume) < TOLERANCE / 4


@pytest.mark.parametrize("kind", exporting.KINDS)
def test_minutes(small: dict[str, tuple[ByolaModel, Any]], kind: str) -> None:
    model, session = small[kind]
    assert largest_difference(model, session, kind, noise(1, 180 * 16000 + 7)) < TOLERANCE / 4


@pytest.mark.parametrize("kind", exporting.KINDS)
def test_the_published_network_on_real_sounds(tmp_path: Path, clips_folder: Path, kind: str) -> None:
    model = model_of(FrontendConfig(), EncoderConfig.v2())
    export_onnx(model, tmp_path / "model.onnx", kind)
    session = open_session(tmp_path / "model.onnx")
    for path in sorted(clips_folder.glob("*_*")):
        clip = torch.from_numpy(read_audio(path, model.sample_rate))
        assert largest_difference(model, session, kind, clip[None]) < TOLERANCE


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fourier_transform_is_the_front_ends(shape: str) -> None:
    config = SHAPES[shape][0]
    row = np.gcd(config.n_fft, config.hop_length)
    columns, outer, inner, filters = (matrix.astype(np.float64) for matrix in fourier(config, int(row)))
    waveform = noise(5 * config.hop_length)
    expected = log_mel(waveform, config)[:, 2].numpy()
    start = 2 * config.hop_length - config.n_fft // 2
    index = np.abs(np.arange(start, start + config.n_fft))  # reflected at the beginning
    frame = waveform.numpy()[np.minimum(index, 2 * (len(waveform) - 1) - index)].reshape(-1, row) * columns
    half_done = (outer @ frame).reshape(len(inner), 1, -1)
    np.testing.assert_allclose(
        np.log(((half_done @ inner) ** 2 @ filters).sum((0, 1)) + torch.finfo(torch.float32).eps), expected, atol=2e-5
    )


def test_the_file_says_what_it_is(small: dict[str, tuple[ByolaModel, Any]]) -> None:
    model, session = small["timestamp"]
    said = session.get_modelmeta().custom_metadata_map
    assert {key: said[key] for key in ("name", "version", "licence", "kind", "sample_rate", "embedding_size")} == {
        "name": "test",
        "version": "1.0",
        "licence": "Apache-2.0",
        "kind": "timestamp",
        "sample_rate": "16000",
        "embedding_size": "80",
    }
    assert said["fingerprint"] == model.fingerprint()
    assert said["window_ms"] == "360"
    assert ModelConfig.from_dict(json.loads(said["config"])) == model.config
    assert [item.shape for item in session.get_outputs()] == [["batch", "n_timestamps", 80], ["batch", "n_timestamps"]]


def test_running_statistics_count_whatever_mode_the_model_is_in(tmp_path: Path) -> None:
    model = model_of(*V2).train()
    export_onnx(model, tmp_path / "model.onnx")
    assert model.training


def test_a_file_that_disagrees_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = model_of(*V2), tmp_path / "model.onnx"
    path.write_bytes(b"what was there")
    wrong = model_of(V2[0], EncoderConfig(channels=4, hidden_size=16))
    with torch.no_grad():
        wrong.encoder.fc[0].bias.add_(1.0)
    monkeypatch.setattr(exporting, "to_onnx", lambda model, kind: to_onnx(wrong, kind))
    with pytest.raises(OnnxError, match="not written: onnxruntime's embeddings differ"):
        export_onnx(model, path)
    assert [item.name for item in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"what was there"


def test_other_timestamps_are_a_difference(small: dict[str, tuple[ByolaModel, Any]]) -> None:
    model, session = small["timestamp"]
    shifted = model_of(FrontendConfig(hop_length=161), V2[1])
    assert largest_difference(shifted, session, "timestamp", noise(1, 4000)) == float("inf")
    assert largest_difference(model, session, "timestamp", noise(1, 4000)) < TOLERANCE


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind must be 'scene' or 'timestamp', got 'frame'"):
        to_onnx(model_of(*V2), "frame")


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(OnnxError, match=r"pip install 'byola-hear\[onnx\]'"):
        to_onnx(model_of(*V2))


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    add_to_zoo(model_of(*V2), tmp_path)
    return tmp_path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_command(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.onnx"
    checkpoint = zoo / "byola-test.safetensors"
    assert run("export", checkpoint, "-o", output, "--kind", "timestamp") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "test 1.0, timestamp embeddings of 80 dimensions, audio at 16000 Hz" in lines[0]
    assert float(lines[1].split("PyTorch: ")[1].split()[0]) < TOLERANCE
    before = output.read_bytes()
    assert run("export", checkpoint, "-o", output) == 2
    assert output.read_bytes() == before
    assert run("export", checkpoint, "-o", output, "--overwrite") == 0
    assert output.read_bytes() != before


@pytest.mark.parametrize(
    ("model", "output", "message"),
    [
        ("byola-test.safetensors", "model.tflite", "ends in .onnx"),
        ("byola-test.safetensors", "nowhere/model.onnx", "does not exist"),
        ("missing.safetensors", "model.onnx", "no such checkpoint"),
    ],
)
def test_wrong_usage_is_one_line(
    zoo: Path, capsys: pytest.CaptureFixture[str], model: str, output: str, message: str
) -> None:
    assert run("export", zoo / model, "-o", zoo / output) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") and message in shown and shown.count("\n") == 1
    assert not (zoo / "model.onnx").exists()
    shutil.rmtree(zoo)
