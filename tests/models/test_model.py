"""The model: its attributes, and its embeddings against the trainable network."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

SMALL = EncoderConfig(channels=4, hidden_size=8)
TRANSFORMER = TransformerConfig(width=16, n_layers=2, n_heads=2, context=9)
KINDS = pytest.mark.parametrize("kind", [SMALL, TRANSFORMER], ids=["convolutional", "transformer"])


def config_of(encoder: EncoderShape = SMALL, **changes: Any) -> ModelConfig:
    values: dict[str, Any] = {
        "name": "test",
        "version": "1.0",
        "frontend": FrontendConfig(),
        "encoder": encoder,
        "mean": -8.0,
        "std": 4.5,
        "training": {"hours": {"somewhere": 1.5}, "crops": 10},
    }
    return ModelConfig(**{**values, **changes})


def small_model(encoder: EncoderShape = SMALL) -> ByolaModel:
    torch.manual_seed(0)
    return ByolaModel(config_of(encoder)).eval()


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) - 0.5


def test_attributes_are_plain_ints() -> None:
    model = ByolaModel(config_of(EncoderConfig.v2()))
    sizes = (model.sample_rate, model.scene_embedding_size, model.timestamp_embedding_size)
    assert sizes == (16000, 3072, 3072)
    assert all(type(size) is int for size in sizes)


def test_an_encoder_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an encoder of the configured shape"):
        ByolaModel(config_of(), Encoder(EncoderConfig(channels=8, hidden_size=8)))
    with pytest.raises(TypeError, match="expected a ModelConfig, got dict"):
        ByolaModel({})  # type: ignore[arg-type]


@pytest.mark.parametrize("encoder", [EncoderConfig.v1(32), SMALL, TRANSFORMER])
def test_scene_embedding_is_maximum_plus_mean_of_the_plain_frame_features(encoder: EncoderShape) -> None:
    torch.manual_seed(0)
    model = ByolaModel(config_of(encoder)).eval()
    audio = noise(2, 12345)
    with torch.no_grad():
        frames = model(audio)
    expected = frames.amax(1) + frames.mean(1)
    torch.testing.assert_close(model.scene_embeddings(audio), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("window", "encoder"), [(9, SMALL), (1, SMALL), (3, EncoderConfig.v1(32)), (5, TRANSFORMER)])
def test_timestamp_embeddings_are_windows_of_the_plain_frame_features(window: int, encoder: EncoderShape) -> None:
    torch.manual_seed(0)
    model = ByolaModel(config_of(encoder, window_frames=window)).eval()
    audio = noise(1, 16000)
    with torch.no_grad():
        frames = model(audio)[0]
    embeddings, times = model.timestamp_embeddings(audio)
    assert embeddings.shape[:2] == times.shape
    half = window // 2
    for index, embedding in enumerate(embeddings[0]):
        seen = frames[max(index - half, 0) : index + half + 1]
        torch.testing.assert_close(embedding, seen.amax(0) + seen.mean(0), rtol=1e-5, atol=1e-5)
    step = 10 * encoder.stride
    assert torch.equal(times[0], (step - 10) / 2 + step * torch.arange(times.shape[1]))


def test_a_click_is_found_at_its_time() -> None:
    model = small_model()
    silence = torch.zeros(1, 32000)
    click = silence.clone()
    click[0, 16000] = 0.9  # at 1000 ms
    quiet, times = model.timestamp_embeddings(silence)
    loud, _ = model.timestamp_embeddings(click)
    differs = times[0][(loud - quiet)[0].abs().amax(-1) > 1e-4]
    # Windows of 1024 samples reach it, then the receptive field, then four frames on each side.
    assert 1000 - 280 <= differs.min() <= 1000 <= differs.max() <= 1000 + 280
    assert differs.mean().item() == pytest.approx(1000, abs=20)


def test_lists_give_lists_and_batches_give_batches() -> None:
    model = small_model()
    batch, times = model.timestamp_embeddings(noise(2, 8000))
    assert batch.shape == (2, 13, 72) and times.shape == (2, 13)
    listed, listed_times = model.timestamp_embeddings([noise(8000), noise(1), noise(3000)])
    assert [len(piece) for piece in listed] == [len(piece) for piece in listed_times] == [13, 1, 5]
    assert model.scene_embeddings([noise(8000), noise(1), noise(3000)]).shape == (3, 72)


def test_embeddings_follow_the_weights_however_they_change() -> None:
    model, audio = small_model(), noise(1, 8000)
    embeddings = [model.scene_embeddings(audio)]
    encoder: Any = model.encoder
    encoder.fc[0].weight.data.mul_(1.5)
    embeddings.append(model.scene_embeddings(audio))
    encoder.features[1].running_mean.add_(1.0)
    embeddings.append(model.scene_embeddings(audio))
    torch.manual_seed(5)
    model.encoder.load_state_dict(Encoder(SMALL).state_dict())
    embeddings.append(model.scene_embeddings(audio))
    model.encoder = Encoder(SMALL)
    embeddings.append(model.scene_embeddings(audio))
    for before, after in pairwise(embeddings):
        assert (before - after).abs().max() > 1e-3


@KINDS
def test_embeddings_ignore_training_mode_and_leave_it(kind: EncoderShape) -> None:
    model, audio = small_model(kind), noise(1, 8000)
    expected = model.scene_embeddings(audio)
    state = copy.deepcopy(model.state_dict())
    model.train()
    assert torch.equal(model.scene_embeddings(audio), expected)
    assert model.training and model.encoder.training
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


@KINDS
def test_embeddings_record_no_gradients_and_can_be_trained_on(kind: EncoderShape) -> None:
    model = small_model(kind)
    audio = noise(4, 8000).requires_grad_()
    embeddings = model.scene_embeddings(audio)
    frames, times = model.timestamp_embeddings(audio)
    streamed = [piece for piece, _ in model.stream_timestamps([audio[0]])]
    assert not any(tensor.requires_grad for tensor in (embeddings, frames, times, *streamed))
    probe = nn.Linear(embeddings.shape[1], 2)
    probe(embeddings).sum().backward()
    assert probe.weight.grad is not None and torch.is_grad_enabled()


@KINDS
def test_the_caller_keeps_the_gradient_mode_between_two_pieces_of_a_stream(kind: EncoderShape) -> None:
    model = small_model(kind)
    model.segment_seconds = 0.2
    for _ in model.stream_timestamps(noise(16000).split(1000)):
        assert torch.is_grad_enabled()


@KINDS
def test_forward_trains_every_weight(kind: EncoderShape) -> None:
    model = small_model(kind).train()
    model(noise(2, 8000)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@KINDS
def test_other_precisions_give_finite_float32(kind: EncoderShape) -> None:
    audio = noise(2, 8000)
    expected = small_model(kind).scene_embeddings(audio)
    for dtype, tolerance in ((torch.bfloat16, 0.05), (torch.float64, 1e-5)):
        model = small_model(kind).to(dtype)
        scene, (frames, times) = model.scene_embeddings(audio), model.timestamp_embeddings(audio)
        assert scene.dtype == frames.dtype == times.dtype == torch.float32
        assert (scene - expected).norm() <= tolerance * expected.norm()


@KINDS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_forward_takes_the_same_audio_in_every_precision(dtype: torch.dtype, kind: EncoderShape) -> None:
    audio = noise(2, 8000)
    model = small_model(kind).to(dtype)
    features = model(audio)
    assert features.dtype == dtype
    torch.testing.assert_close(features.float(), small_model(kind)(audio), rtol=0.05, atol=0.05)
    features.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@KINDS
def test_a_copy_is_a_model(kind: EncoderShape) -> None:
    model, audio = small_model(kind), noise(1, 8000)
    assert torch.equal(copy.deepcopy(model).scene_embeddings(audio), model.scene_embeddings(audio))


def test_wrong_audio_is_refused_by_every_method() -> None:
    model = small_model()
    wrong = torch.zeros(1, 8, dtype=torch.int16)
    for method in (model.scene_embeddings, model.timestamp_embeddings):
        with pytest.raises(ValueError, match="clip 0 as float32"):
            method(wrong)
    for stream in (model.stream_scene, lambda blocks: list(model.stream_timestamps(blocks))):
        with pytest.raises(ValueError, match="block 0 as float32"):
            stream(wrong)
        with pytest.raises(ValueError, match="at least one sample"):
            stream([])


@pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")
@KINDS
def test_half_precision_is_close_and_a_copy(kind: EncoderShape) -> None:
    model = small_model(kind)
    twin = model.in_precision("bfloat16")
    assert model.in_precision("float32") is model
    clips = [noise(16000), noise(700), noise(1)]
    for one, other in (
        (list(model.scene_embeddings(clips)), list(twin.scene_embeddings(clips))),
        (model.timestamp_embeddings(clips)[0], twin.timestamp_embeddings(clips)[0]),
    ):
        for exact, close in zip(one, other, strict=True):
            assert close.dtype == torch.float32
            assert 0 < (close - exact).norm() < 0.02 * exact.norm()
    assert next(model.encoder.parameters()).dtype == torch.float32
    assert twin.fingerprint() != model.fingerprint()
    assert twin.in_precision("bfloat16") is twin
    with pytest.raises(ValueError, match="expected a model in float32 to change to float32, got one in bfloat16"):
        twin.in_precision("float32")
    with pytest.raises(ValueError, match="precision must be 'float32', 'bfloat16', 'int8' or 'auto', got 'float16'"):
        model.in_precision("float16")
