"""The encoder for MAEB, and its metadata."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import byola_hear

mteb = pytest.importorskip("mteb", reason="pip install 'mteb[audio]'")

from byola_hear.leaderboards.maeb import ByolaMaebEncoder, model_meta  # noqa: E402
from byola_hear.models.loading import resolve  # noqa: E402

pytestmark = pytest.mark.skipif("both" not in byola_hear.list_models(), reason="the networks are not in this checkout")


@pytest.fixture(scope="module")
def encoder() -> ByolaMaebEncoder:
    return ByolaMaebEncoder(resolve("both"), "cpu")


def clip(seconds: float, rate: int = 16000, channels: int = 0) -> dict[str, Any]:
    shape = (channels, int(seconds * rate)) if channels else int(seconds * rate)
    return {"array": np.random.default_rng(0).normal(size=shape) * 0.1, "sampling_rate": rate}


def test_mteb_accepts_the_encoder_and_its_metadata(encoder: ByolaMaebEncoder) -> None:
    meta = model_meta("both")
    assert meta.name == "byola-hear/byola-both" and meta.embed_dim == 3072 and meta.modalities == ["audio"]
    assert isinstance(encoder, mteb.models.EncoderProtocol)
    loaded = meta.load_model(device="cpu")
    assert isinstance(loaded, ByolaMaebEncoder) and loaded.mteb_model_meta.name == meta.name
    # What the networks were trained on is no zero-shot result. mteb must know these names.
    known = {task.metadata.name for task in mteb.get_tasks(modalities=["audio"])}
    assert meta.training_datasets <= known


def test_embeddings_are_the_clip_embeddings_in_order(encoder: ByolaMaebEncoder) -> None:
    batches = [{"audio": [clip(0.5), clip(1.0)]}, {"audio": [clip(0.7)]}]
    found = encoder.get_audio_embeddings(batches)
    given = [torch.from_numpy(each["array"]).float() for batch in batches for each in batch["audio"]]
    np.testing.assert_allclose(found, resolve("both").scene_embeddings(given).numpy(), rtol=1e-4, atol=1e-4)


def test_other_rates_and_channels_are_converted(encoder: ByolaMaebEncoder) -> None:
    times = np.arange(44100) / 44100
    tone: dict[str, Any] = {"array": 0.3 * np.sin(2 * np.pi * 440 * times), "sampling_rate": 44100}
    stereo: dict[str, Any] = {**tone, "array": np.stack([tone["array"]] * 2)}
    same = {"array": 0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000), "sampling_rate": 16000}
    found = encoder.get_audio_embeddings([{"audio": [tone, stereo, same]}])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-4)
    cosine = found[0] @ found[2] / np.linalg.norm(found[0]) / np.linalg.norm(found[2])
    assert cosine > 0.98


def test_wrong_input_is_one_clear_error(encoder: ByolaMaebEncoder) -> None:
    with pytest.raises(ValueError, match="sampling rate in Hz, got None"):
        encoder.get_audio_embeddings([{"audio": [{"array": np.zeros(100)}]}])
    with pytest.raises(ValueError, match=r"got \(100, 2\)"):
        encoder.get_audio_embeddings([{"audio": [{"array": np.zeros((100, 2)), "sampling_rate": 16000}]}])
    with pytest.raises(ValueError, match="at least one batch"):
        encoder.get_audio_embeddings([])
    with pytest.raises(ValueError, match="expected data with audio, got the columns text"):
        encoder.encode(SimpleNamespace(dataset=SimpleNamespace(features={"text": None})))
