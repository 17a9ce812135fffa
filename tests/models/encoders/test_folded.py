"""The folded network equals the plain one and leaves it as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.folded import FoldedEncoder, fold_batch_norm

SHAPES = {
    "v1": EncoderConfig(n_mels=16, n_blocks=3, channels=6, hidden_size=10, concatenate_local=False),
    "v2": EncoderConfig(n_mels=16, n_blocks=2, channels=6, hidden_size=10),
}


def trained(config: EncoderConfig, seed: int = 0) -> Encoder:
    """An encoder whose batch norms are no identities."""
    torch.manual_seed(seed)
    encoder = Encoder(config).eval()
    for layer in encoder.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
            layer.running_mean = torch.randn(config.channels)
            layer.running_var = torch.rand(config.channels) + 0.1
    return encoder


def folded_features(encoder: Encoder, frames: Tensor) -> Tensor:
    folded = FoldedEncoder(encoder)
    return folded.per_frame(folded.in_context(frames))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 7, 8, 9, 96, 101])
@torch.no_grad()
def test_folded_equals_plain(shape: str, n_frames: int) -> None:
    encoder = trained(SHAPES[shape])
    frames = torch.randn(3, n_frames, 16)
    plain = encoder(frames.transpose(1, 2)[:, None])
    torch.testing.assert_close(folded_features(encoder, frames), plain, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_full_size_equals_plain() -> None:
    encoder = trained(EncoderConfig.v2())
    frames = torch.randn(2, 50, 64)
    plain = encoder(frames.transpose(1, 2)[:, None])
    folded = folded_features(encoder, frames)
    assert folded.shape == (2, 13, 3072)
    assert (folded - plain).norm() <= 1e-6 * plain.norm()


@torch.no_grad()
def test_negative_scales_survive_the_order_of_maximum_and_relu() -> None:
    encoder = trained(SHAPES["v2"])
    for layer in encoder.features:
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.fill_(-1.0)
    frames = torch.randn(1, 24, 16)
    plain = encoder(frames.transpose(1, 2)[:, None])
    torch.testing.assert_close(folded_features(encoder, frames), plain, rtol=1e-5, atol=1e-5)


def test_folding_leaves_the_encoder_alone() -> None:
    encoder = trained(SHAPES["v2"]).train()
    before = copy.deepcopy(encoder.state_dict())
    features = folded_features(encoder, torch.randn(1, 24, 16))
    assert not features.requires_grad
    assert encoder.training
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())


def test_a_norm_without_affine_or_a_convolution_without_bias() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(2, 3, 3, bias=False)
    norm = nn.BatchNorm2d(3, affine=False)
    norm.running_mean, norm.running_var = torch.randn(3), torch.rand(3) + 0.1
    x = torch.randn(1, 2, 8, 8)
    folded = nn.functional.conv2d(x, *fold_batch_norm(convolution, norm))
    torch.testing.assert_close(folded, norm.eval()(convolution(x)), rtol=1e-5, atol=1e-5)


def test_batch_statistics_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="running statistics"):
        fold_batch_norm(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, track_running_stats=False))


class Adapted(nn.Module):
    """A layer with an adapter beside it, as those of LoRA."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + 1.0


@pytest.mark.parametrize(
    ("part", "index", "kind"), [("fc", 0, "Linear"), ("fc", 3, "Linear"), ("features", 4, "Conv2d")]
)
def test_replaced_layers_are_refused(part: str, index: int, kind: str) -> None:
    encoder = trained(SHAPES["v2"])
    layers = getattr(encoder, part)
    layers[index] = Adapted(layers[index])
    with pytest.raises(ValueError, match=rf"expected {kind} as layer {part}\.{index} of the network, got .*Adapted"):
        FoldedEncoder(encoder)


def test_added_layers_are_refused() -> None:
    encoder = trained(SHAPES["v2"])
    encoder.fc.append(nn.Sigmoid())
    with pytest.raises(ValueError, match=r"expected none as layer fc\.5 of the network, got .*Sigmoid"):
        FoldedEncoder(encoder)


def test_synchronised_norms_and_missing_dropout_make_no_difference() -> None:
    encoder, frames = trained(SHAPES["v2"]), torch.randn(1, 24, 16)
    expected = folded_features(encoder, frames)
    encoder.fc[2] = nn.Identity()
    assert torch.equal(folded_features(nn.SyncBatchNorm.convert_sync_batchnorm(encoder), frames), expected)
