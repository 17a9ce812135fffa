"""The encoder: published sizes and names, exact masking, and the receptive field that chunking relies on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig

#: Published shapes: configuration, millions of parameters, dimensions and log-mel frames of a frame feature.
PUBLISHED = {
    "v1-512": (EncoderConfig.v1(512), 0.60, 512, 8),
    "v1-1024": (EncoderConfig.v1(1024), 1.65, 1024, 8),
    "v1-2048": (EncoderConfig.v1(2048), 5.32, 2048, 8),
    "v2": (EncoderConfig.v2(), 6.33, 3072, 4),
}
#: Small networks of both kinds, for what does not depend on size.
SMALL = {
    "v1": EncoderConfig(n_mels=16, n_blocks=3, channels=6, hidden_size=10, concatenate_local=False),
    "v2": EncoderConfig(n_mels=16, n_blocks=2, channels=6, hidden_size=10),
}


def small(kind: str) -> Encoder:
    """A network in evaluation mode whose batch norms are no identities, as after training."""
    torch.manual_seed(1)
    encoder = Encoder(SMALL[kind]).eval()
    for name, tensor in encoder.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith("running_mean") or name.endswith(".bias"):
            tensor.normal_(0, 0.5)
    return encoder


def noise(batch: int, n_frames: int) -> Tensor:
    return torch.randn(batch, 1, 16, n_frames, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name: str) -> None:
    config, millions, feature_size, stride = PUBLISHED[name]
    with torch.device("meta"):
        encoder = Encoder(config)
    assert round(sum(p.numel() for p in encoder.parameters()) / 1e6, 2) == millions
    assert (config.feature_size, config.stride) == (feature_size, stride)


def test_names_are_those_of_published_checkpoints() -> None:
    with torch.device("meta"):
        names = {kind: set(Encoder(PUBLISHED[kind][0]).state_dict()) for kind in ("v1-512", "v2")}

    def expected(blocks: range) -> set[str]:
        layers = {f"features.{4 * i}.{part}" for i in blocks for part in ("weight", "bias")}
        parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        layers |= {f"features.{4 * i + 1}.{part}" for i in blocks for part in parts}
        return layers | {f"fc.{i}.{part}" for i in (0, 3) for part in ("weight", "bias")}

    assert names == {"v1-512": expected(range(3)), "v2": expected(range(2))}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 7, 8, 9, 31])
def test_frame_counts(kind: str, n_frames: int) -> None:
    encoder = small(kind)
    features = encoder(noise(2, n_frames))
    stride = encoder.config.stride
    assert features.shape == (2, -(-n_frames // stride), encoder.config.feature_size)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("kind", SMALL)
def test_padded_clips_equal_clips_by_themselves(kind: str) -> None:
    """Every length up to 21, padded with loud values to 37 frames, in one batch."""
    encoder = small(kind)
    lengths = torch.arange(1, 22)
    clips = [noise(1, 40)[..., : int(length)] + 0.1 * length for length in lengths]
    padded = torch.full((len(clips), 1, 16, 37), 50.0)
    for row, clip in zip(padded, clips, strict=True):
        row[..., : clip.shape[-1]] = clip[0]
    with torch.no_grad():
        together = encoder(padded, lengths)
        for features, clip in zip(together, clips, strict=True):
            alone = encoder(clip)[0]
            torch.testing.assert_close(features[: len(alone)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", SMALL)
def test_full_lengths_change_nothing(kind: str) -> None:
    encoder = small(kind)
    for n_frames in (16, 19):
        x = noise(2, n_frames)
        torch.testing.assert_close(encoder(x, torch.tensor([n_frames, n_frames])), encoder(x))


@pytest.mark.parametrize("kind", SMALL)
def test_a_feature_sees_its_own_frames_and_less_than_the_overlap_beyond(kind: str) -> None:
    encoder = small(kind)
    stride, n_frames = encoder.config.stride, 6 * encoder.config.stride
    x = noise(1, n_frames).requires_grad_()
    features = encoder(x)[0]
    for index, feature in enumerate(features):
        (gradient,) = torch.autograd.grad(feature.square().sum(), x, retain_graph=True)
        touched = gradient[0, 0].abs().sum(0).nonzero().flatten()
        assert len(touched)
        assert (index - encoder.config.overlap) * stride < touched.min() <= index * stride
        assert (index + 1) * stride - 1 <= touched.max() < (index + 1 + encoder.config.overlap) * stride


def test_v2_features_are_local_then_global() -> None:
    encoder = small("v2")
    x = noise(1, 16)
    convolved = encoder.features(x)
    features = encoder(x)
    # Per frame: all channels of the lowest band, then of the next.
    local = convolved.permute(0, 3, 2, 1).reshape(1, 4, -1)
    torch.testing.assert_close(features[..., : encoder.config.local_size], local)
    torch.testing.assert_close(features[..., encoder.config.local_size :], encoder.fc(local))


@pytest.mark.parametrize("kind", SMALL)
def test_gradients_reach_every_parameter(kind: str) -> None:
    torch.manual_seed(3)
    encoder = Encoder(SMALL[kind]).train()
    encoder(noise(8, 20), torch.tensor([20, 19, 18, 17, 16, 9, 5, 1])).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        # A bias before a batch norm has no effect while training.
        if not (name.startswith("features.") and int(name.split(".")[1]) % 4 == 0 and name.endswith("bias")):
            assert parameter.grad.abs().sum() > 0, name


def test_evaluation_is_deterministic_and_training_drops_out() -> None:
    encoder, x = small("v2"), noise(2, 16)
    assert torch.equal(encoder(x), encoder(x))
    encoder.train()
    assert not torch.equal(encoder(x), encoder(x))


@pytest.mark.parametrize("shape", [(2, 16, 30), (2, 2, 16, 30), (2, 1, 64, 30), (16, 30)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected log-mels of shape \(batch, 1, 16, n_frames\), got"):
        small("v2")(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_blocks": 0}, "n_blocks must be a positive integer, got 0"),
        ({"hidden_size": 2048.0}, "hidden_size must be a positive integer"),
        ({"n_mels": 62}, "multiple of 2 \\*\\* n_blocks = 2 \\*\\* 2, got 62"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
    ],
)
def test_impossible_shapes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**change)  # type: ignore[arg-type]
