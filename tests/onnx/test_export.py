"""ONNX files: onnxruntime's results equal torch's, for any shape of network, any length and any batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from byola_hear.audio.reading import read_audio
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.onnx import export as exporting
from byola_hear.onnx.encoders import ENCODERS
from byola_hear.onnx.export import TOLERANCE, OnnxError, export_onnx, largest_difference, open_session, to_onnx
from tests.onnx.models import SHAPES, TRANSFORMER, V2, model_of

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) - 0.5


@pytest.fixture(scope="module", params=["convolutional", "transformer"])
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[ByolaModel, Any]]:
    """A small model of each kind and the sessions of its two files."""
    model = model_of(*(V2 if request.param == "convolutional" else TRANSFORMER))
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
def test_three_minutes(small: dict[str, tuple[ByolaModel, Any]], kind: str) -> None:
    model, session = small[kind]
    assert largest_difference(model, session, kind, noise(1, 180 * 16000 + 7)) < TOLERANCE / 4


@pytest.mark.parametrize("kind", exporting.KINDS)
@pytest.mark.parametrize("encoder", [EncoderConfig.v2(), TransformerConfig()], ids=["v2", "transformer"])
def test_full_networks_on_real_sounds(tmp_path: Path, clips_folder: Path, kind: str, encoder: EncoderShape) -> None:
    model = model_of(FrontendConfig(), encoder)
    (tmp_path / "model.onnx").write_bytes(to_onnx(model, kind).SerializeToString())
    session = open_session(tmp_path / "model.onnx")
    for path in sorted(clips_folder.glob("*_*")):
        clip = torch.from_numpy(read_audio(path, model.sample_rate))
        assert largest_difference(model, session, kind, clip[None]) < TOLERANCE


def test_the_metadata_describes_the_model(small: dict[str, tuple[ByolaModel, Any]]) -> None:
    model, session = small["timestamp"]
    said = session.get_modelmeta().custom_metadata_map
    assert {key: said[key] for key in ("name", "version", "licence", "kind", "sample_rate", "embedding_size")} == {
        "name": "test",
        "version": "1.0",
        "licence": "Apache-2.0",
        "kind": "timestamp",
        "sample_rate": "16000",
        "embedding_size": str(model.scene_embedding_size),
    }
    assert said["fingerprint"] == model.fingerprint()
    assert said["window_ms"] == "360"
    assert ModelConfig.from_dict(json.loads(said["config"])) == model.config
    assert [item.shape for item in session.get_outputs()] == [
        ["batch", "n_timestamps", model.scene_embedding_size],
        ["batch", "n_timestamps"],
    ]


def test_running_statistics_count_whatever_mode_the_model_is_in(tmp_path: Path) -> None:
    model = model_of(*V2).train()
    export_onnx(model, tmp_path / "model.onnx")
    assert model.training


@pytest.mark.parametrize("shape", ["v2", "transformer"])
def test_default_type_and_device_change_nothing(tmp_path: Path, shape: str) -> None:
    model = model_of(*SHAPES[shape])
    export_onnx(model, tmp_path / "plain.onnx")
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):  # whose tensors have no values
            export_onnx(model, tmp_path / "other.onnx")
    finally:
        torch.set_default_dtype(torch.float32)
    assert (tmp_path / "other.onnx").read_bytes() == (tmp_path / "plain.onnx").read_bytes()


def test_nothing_is_written_if_the_results_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = model_of(*V2), tmp_path / "model.onnx"
    path.write_bytes(b"what was there")
    wrong = model_of(V2[0], EncoderConfig(channels=4, hidden_size=16))
    encoder: Any = wrong.encoder
    with torch.no_grad():
        encoder.fc[0].bias.add_(1.0)
    monkeypatch.setattr(exporting, "to_onnx", lambda model, kind: to_onnx(wrong, kind))
    with pytest.raises(OnnxError, match="not written: onnxruntime's embeddings differ"):
        export_onnx(model, path)
    assert [item.name for item in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"what was there"


def test_other_timestamps_differ(small: dict[str, tuple[ByolaModel, Any]]) -> None:
    model, session = small["timestamp"]
    shifted = model_of(FrontendConfig(hop_length=161), V2[1])
    assert largest_difference(shifted, session, "timestamp", noise(1, 4000)) == float("inf")
    assert largest_difference(model, session, "timestamp", noise(1, 4000)) < TOLERANCE


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind must be 'scene' or 'timestamp', got 'frame'"):
        to_onnx(model_of(*V2), "frame")


def test_kinds_of_encoders_without_a_graph_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "other", ENCODERS["convolutional"])
    monkeypatch.delitem(ENCODERS, "convolutional")
    with pytest.raises(
        OnnxError, match="kind 'transformer' or 'other' and pooling 'max\\+mean' or 'mean', got encoder 'conv"
    ):
        export_onnx(model_of(*V2), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")
@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_other_precisions_are_refused(precision: str, tmp_path: Path) -> None:
    model = model_of(*SHAPES["v2"]).in_precision(precision)
    with pytest.raises(OnnxError, match=f"^test cannot be exported in {precision}: expected a model in float32$"):
        export_onnx(model, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(OnnxError, match=r"pip install 'byola-hear\[onnx\]'"):
        to_onnx(model_of(*V2))
