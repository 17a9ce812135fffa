"""The HEAR API's contract, and one clear error for every misuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import byola_hear
from byola_hear import get_scene_embeddings, get_timestamp_embeddings, load_model
from byola_hear.models import zoo
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


def random_model(name: str, encoder: EncoderConfig, seed: int) -> ByolaModel:
    torch.manual_seed(seed)
    return ByolaModel(ModelConfig(name, "1", FrontendConfig(), encoder, mean=-8.0, std=4.5))


@pytest.fixture
def small_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of three small random models in place of the package's own."""
    for seed, name in enumerate(("both", "nonspeech", "speech")):
        zoo.add_to_zoo(random_model(name, EncoderConfig(channels=4, hidden_size=8), seed), tmp_path)
    monkeypatch.setattr(zoo, "zoo_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ByolaModel:
    """A random model of full size, by way of a checkpoint."""
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    save_checkpoint(path, random_model("random", EncoderConfig.v2(), 0).train())
    return load_model(str(path))


def white_noise(seconds: float, n_sounds: int = 2) -> Tensor:
    """Noise like that of HEAR's validator."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n_sounds, int(seconds * 16000), generator=generator) * 2 - 1


def test_the_default_is_both(small_zoo: Path) -> None:
    assert load_model().config.name == load_model("").config.name == "both"


def test_loading_by_name_and_path(small_zoo: Path) -> None:
    assert [load_model(name).config.name for name in byola_hear.list_models()] == [
        "both",
        "nonspeech",
        "speech",
    ]
    path = small_zoo / "byola-speech.safetensors"
    assert load_model(path).config == load_model(str(path)).config == load_model("speech").config
    assert load_model(model_file_path="speech").config.name == "speech"
    assert byola_hear.describe_model("speech")["name"] == "speech"


def test_a_loaded_model_is_ready(model: ByolaModel) -> None:
    assert isinstance(model, torch.nn.Module)
    assert not any(module.training for module in model.modules())
    assert all(value.device.type == "cpu" for value in model.state_dict().values())
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    for name, value in (
        ("sample_rate", 16000),
        ("scene_embedding_size", 3072),
        ("timestamp_embedding_size", 3072),
    ):
        assert type(getattr(model, name)) is int and getattr(model, name) == value


def test_scene_embeddings_keep_the_contract(model: ByolaModel) -> None:
    embeddings = get_scene_embeddings(white_noise(2.74), model)
    assert embeddings.shape == (2, 3072) and embeddings.dtype == torch.float32
    assert torch.isfinite(embeddings).all() and not embeddings.requires_grad


@pytest.mark.parametrize("seconds", [1.07, 1.98, 4.0])
def test_timestamp_embeddings_keep_the_contract(model: ByolaModel, seconds: float) -> None:
    audio = white_noise(seconds)
    embeddings, timestamps = get_timestamp_embeddings(audio, model)
    assert embeddings.dtype == timestamps.dtype == torch.float32
    assert embeddings.shape == (2, timestamps.shape[1], 3072) and timestamps.shape[0] == 2
    assert torch.isfinite(embeddings).all()
    duration = audio.shape[1] / 16
    hop = timestamps.diff()
    assert (hop == 40).all()
    assert (timestamps[:, 0] == 15).all()
    assert (timestamps[:, -1] <= duration).all() and (timestamps[:, -1] > duration - 40).all()
    # heareval converts them to numpy.
    assert embeddings.cpu().numpy().shape == embeddings.shape
    assert timestamps.detach().cpu().numpy().shape == timestamps.shape


@pytest.mark.parametrize("n_samples", [1, 2, 159, 160, 239, 241, 639, 641, 1023])
def test_clips_shorter_than_a_window(model: ByolaModel, n_samples: int) -> None:
    for audio in (white_noise(1)[:, :n_samples], torch.zeros(1, n_samples), torch.ones(1, n_samples)):
        embeddings, timestamps = get_timestamp_embeddings(audio, model)
        assert torch.isfinite(get_scene_embeddings(audio, model)).all()
        assert torch.isfinite(embeddings).all() and embeddings.shape[1] >= 1
        assert (timestamps >= 0).all() and (timestamps <= n_samples / 16).all()


def test_silence_is_finite(model: ByolaModel) -> None:
    silence = torch.zeros(1, 48000)
    assert torch.isfinite(get_scene_embeddings(silence, model)).all()
    assert torch.isfinite(get_timestamp_embeddings(silence, model)[0]).all()


def test_the_given_audio_is_left_as_it_is(model: ByolaModel) -> None:
    audio = white_noise(0.5)
    before = audio.clone()
    get_scene_embeddings(audio, model)
    get_timestamp_embeddings(audio, model)
    assert torch.equal(audio, before)


def test_wrong_names_and_paths(small_zoo: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model is called 'speach'; known names: both, nonspeech, speech"):
        load_model("speach")
    with pytest.raises(FileNotFoundError, match="missing.safetensors"):
        load_model(str(tmp_path / "missing.safetensors"))
    garbage = tmp_path / "garbage.safetensors"
    garbage.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="garbage.safetensors"):
        load_model(garbage)
    for wrong in (None, 3, torch.zeros(1)):
        with pytest.raises(TypeError, match="a model's name or a checkpoint's path, got"):
            load_model(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [get_scene_embeddings, get_timestamp_embeddings])
def test_wrong_arguments(model: ByolaModel, function: object) -> None:
    assert callable(function)
    audio = white_noise(0.1)
    wrong: Any
    for wrong in (audio, "speech", None, torch.nn.Linear(1, 1)):
        with pytest.raises(TypeError, match="expected the model that load_model returned, got"):
            function(audio, wrong)
    for wrong, kind in ((audio[0], ValueError), (audio.double(), ValueError), (audio.numpy(), TypeError)):
        with pytest.raises(kind, match="expected"):
            function(wrong, model)
    with pytest.raises(ValueError, match="finite"):
        function(audio / 0, model)


def test_every_model_that_comes_with_the_package_keeps_the_contract() -> None:
    names = byola_hear.list_models()
    if not names:
        pytest.skip("no checkpoints in this checkout")
    audio = white_noise(1.07, 1)
    embeddings = {}
    for name in names:
        loaded = load_model(name)
        assert loaded.config.name == name
        embeddings[name] = get_scene_embeddings(audio, loaded)
        assert embeddings[name].shape == (1, loaded.scene_embedding_size)
        assert torch.isfinite(embeddings[name]).all()
        frames, timestamps = get_timestamp_embeddings(audio, loaded)
        assert torch.isfinite(frames).all() and (timestamps.diff() <= 50).all()
    assert torch.equal(get_scene_embeddings(audio, load_model()), embeddings["both"])
