"""A classifier with its network as ONNX: the windows and the scores are those of predict."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from byola_hear.audio.reading import read_audio
from byola_hear.classification.classifier import Classifier, Network, Operating
from byola_hear.classification.exporting import (
    TOLERANCE,
    classifier_to_onnx,
    export_classifier,
    largest_difference,
    own_scores,
)
from byola_hear.classification.file import save_classifier
from byola_hear.classification.predicting import predict
from byola_hear.models.model import ByolaModel
from byola_hear.onnx.export import OnnxError, open_session
from tests.models.small import with_directions
from tests.onnx.models import V2, model_of


def made(model: ByolaModel, window: float = 0.5, hop: float = 0.25, method: str = "logistic") -> Classifier:
    """A classifier of random weights, whose scores are spread between 0 and 1."""
    rng = np.random.default_rng(0)
    size = model.scene_embedding_size
    embedding = model.scene_embeddings(torch.rand(1, 8000, generator=torch.Generator().manual_seed(3)) - 0.5)[0].numpy()
    weight = rng.normal(size=(3, size)).astype(np.float32) / np.float32(np.sqrt(size))
    centre = embedding * np.float32(0.5) if method == "cosine" else np.zeros(size, np.float32)
    spread = np.abs(embedding) + 1
    return Classifier(
        ("a", "b ü", "c"),
        weight,
        -weight @ embedding if method == "logistic" else np.zeros(3, np.float32),
        centre,
        embedding - spread,
        embedding + spread,
        tuple(Operating(value) for value in (0.25, 0.5, 0.75)),
        method,  # type: ignore[arg-type]
        window,
        hop,
        Network.of(model, "nowhere"),
    )


@pytest.mark.parametrize("method", ["logistic", "cosine"])
def test_a_file_gives_the_scores_of_predict_on_real_sound(method: str, clips_folder: Path, tmp_path: Path) -> None:
    model = model_of(*V2)
    classifier = made(model, method=method)
    assert export_classifier(model, classifier, tmp_path / "calls.onnx") <= TOLERANCE / 10
    save_classifier(tmp_path / "calls.safetensors", classifier)
    session = open_session(tmp_path / "calls.onnx")
    for name in ("piano_stereo_44k.mp3", "speech_english_8k.wav", "shutter_stereo_96k.ogg"):
        found = predict(clips_folder / name, tmp_path / "calls.safetensors", threshold=0.0, merge=False, model=model)
        samples = read_audio(clips_folder / name, model.sample_rate)
        scores, starts, ends = session.run(["scores", "starts", "ends"], {"waveforms": samples[None]})
        wide = found.pivot_table(index=["start", "end"], columns="label", values="score").reset_index()
        np.testing.assert_allclose(np.stack([starts, ends], 1), wide[["start", "end"]], atol=1e-5)
        np.testing.assert_allclose(scores[0], wide[list(classifier.classes)], atol=1e-5)
        assert 0 <= scores.min() < scores.max() <= 1


@settings(max_examples=30)
@given(
    st.integers(1, 30000), st.floats(0.04, 2.5), st.floats(0.02, 3.0), st.integers(1, 2), st.sampled_from([1.0, 1e-4])
)
def test_any_window_hop_and_length(n_samples: int, window: float, hop: float, batch: int, volume: float) -> None:
    model = model_of(*V2)
    classifier = made(model, window, hop)
    session = open_session_of(model, classifier)
    noise = torch.rand(batch, n_samples, generator=torch.Generator().manual_seed(n_samples)) - 0.5
    assert largest_difference(model, classifier, session, noise * volume) <= TOLERANCE / 10


def open_session_of(model: ByolaModel, classifier: Classifier) -> object:
    import onnxruntime

    content = classifier_to_onnx(model, classifier).SerializeToString()
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_the_file_describes_itself(tmp_path: Path) -> None:
    model = with_directions(model_of(*V2), 7)
    classifier = made(model)
    export_classifier(model, classifier, tmp_path / "calls.onnx")
    session = open_session(tmp_path / "calls.onnx")
    data = session.get_modelmeta().custom_metadata_map
    assert data["kind"] == "classifier" and json.loads(data["classes"]) == ["a", "b ü", "c"]
    assert json.loads(data["thresholds"]) == [0.25, 0.5, 0.75]
    assert (json.loads(data["window"]), json.loads(data["hop"]), data["sample_rate"]) == (0.5, 0.25, "16000")
    assert (data["fingerprint"], data["embedding_size"]) == (model.fingerprint(), "7")
    assert [each.shape for each in session.get_outputs()] == [["batch", "n_windows", 3], ["n_windows"], ["n_windows"]]


def test_another_network_and_short_windows_are_refused(tmp_path: Path) -> None:
    model = model_of(*V2)
    with pytest.raises(ValueError, match="the classifier needs embeddings of 7 dimensions"):
        export_classifier(model, made(with_directions(model, 7)), tmp_path / "calls.onnx")
    with pytest.raises(ValueError, match="expected a window of at least a frame, 0.04 s, got 0.03 s"):
        export_classifier(model, made(model, 0.03), tmp_path / "calls.onnx")
    assert list(tmp_path.iterdir()) == []


def test_scores_that_differ_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(*V2)

    def wrong(*arguments: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        start, end, scores = own_scores(*arguments)  # type: ignore[arg-type]
        return start, end, scores + np.float32(0.01)

    monkeypatch.setattr("byola_hear.classification.exporting.own_scores", wrong)
    with pytest.raises(OnnxError, match="not written: onnxruntime's scores differ from the classifier's by 1"):
        export_classifier(model, made(model), tmp_path / "calls.onnx")
    assert list(tmp_path.iterdir()) == []
