from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.pretraining.byol.fast_block import patch_moments, training_features

SHAPES = {
    "v2": EncoderConfig(channels=8, hidden_size=32, dropout=0.0),
    "v1": EncoderConfig(n_blocks=3, channels=8, hidden_size=32, concatenate_local=False, dropout=0.0),
}


def encoder_of(shape: str) -> Encoder:
    torch.manual_seed(0)
    encoder = Encoder(SHAPES[shape]).train()
    norm = encoder.features[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        # A negative scale reverses the order of the pooled values.
        norm.weight.uniform_(-1.5, 1.5)
        norm.bias.uniform_(-1, 1)
    return encoder


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(64, 96), (64, 8)])
def test_features_gradients_and_running_statistics_equal_the_plain_ones(shape: str, size: tuple[int, int]) -> None:
    plain = encoder_of(shape)
    fast = copy.deepcopy(plain)
    x = 1.3 * torch.randn(5, 1, *size) + 0.4
    expected, actual = plain(x), torch.cat(training_features(fast, x), dim=-1)
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (expected * direction).sum().backward()
    (actual * direction).sum().backward()
    for (name, parameter), other in zip(plain.named_parameters(), fast.parameters()):
        assert parameter.grad is not None
        assert other.grad is not None
        # The gradient of a bias before a batch norm is only rounding.
        scale = parameter.grad.norm() + 1e-2 * direction.norm()
        assert (parameter.grad - other.grad).norm() / scale < 1e-3, name
    for (name, buffer), of_fast in zip(plain.named_buffers(), fast.buffers()):
        torch.testing.assert_close(of_fast, buffer, atol=1e-5, rtol=1e-5, msg=name)


def test_bfloat16_is_close() -> None:
    plain = encoder_of("v2")
    fast = copy.deepcopy(plain)
    x = torch.randn(8, 1, 64, 96)
    expected = plain(x)
    with torch.autocast("cpu", torch.bfloat16):
        actual = torch.cat(training_features(fast, x), dim=-1)
    expected.square().mean().backward()
    actual.float().square().mean().backward()
    assert (actual.float() - expected).norm() / expected.norm() < 0.02
    gradients = [encoder.get_parameter("features.0.weight").grad for encoder in (plain, fast)]
    assert gradients[0] is not None and gradients[1] is not None
    cosine = torch.nn.functional.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), dim=0)
    assert cosine > 0.98


@pytest.mark.parametrize("n_threads", [2, 3])
def test_several_threads_compute_what_one_does(n_threads: int) -> None:
    single = encoder_of("v2")
    several = copy.deepcopy(single)
    x = torch.randn(9, 1, 64, 96)  # 13 824 patches: more than fit into one piece of two or three threads
    before, found = torch.get_num_threads(), []
    try:
        for threads, encoder in ((1, single), (n_threads, several)):
            torch.set_num_threads(threads)
            output = torch.cat(training_features(encoder, x), dim=-1)
            output.square().mean().backward()
            found.append([output, *(parameter.grad for parameter in encoder.parameters())])
    finally:
        torch.set_num_threads(before)
    for expected, actual in zip(*found):
        torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)  # sums of pieces are rounded otherwise


def test_two_views_at_once_are_two_views_one_after_the_other() -> None:
    apart = encoder_of("v2")
    apart.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    together = copy.deepcopy(apart)
    views = [1.3 * torch.randn(5, 1, 64, 96) + shift for shift in (0.4, -1.0)]
    expected = torch.cat([torch.cat(training_features(apart, view), dim=-1) for view in views])
    actual = torch.cat(training_features(together, *views), dim=-1)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    expected.square().sum().backward()
    actual.square().sum().backward()
    for parameter, other in zip(apart.parameters(), together.parameters()):
        torch.testing.assert_close(other.grad, parameter.grad, atol=1e-2, rtol=1e-4)
        # Distributed training wants gradients in the layout of their parameters.
        assert other.grad is not None and other.grad.stride() == other.stride()
    for buffer, of_together in zip(apart.buffers(), together.buffers()):
        torch.testing.assert_close(of_together, buffer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["features.0.weight", "features.1.weight", "features.1.bias", "features.4.weight"])
@pytest.mark.parametrize("value", [float("nan"), -float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_seen(dtype: torch.dtype, name: str, value: float) -> None:
    encoder = encoder_of("v2")
    with torch.no_grad():
        encoder.get_parameter(name).view(-1)[0] = value
    with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
        features = training_features(encoder, torch.randn(4, 1, 64, 96))
    assert not any(part.isfinite().all() for part in features)


def test_patch_moments_are_those_of_all_patches() -> None:
    x = torch.randn(3, 1, 6, 8) + 2
    patches = torch.nn.functional.unfold(x, 3, padding=1).transpose(1, 2).reshape(-1, 9)
    mean, covariance = patch_moments(x)
    torch.testing.assert_close(mean, patches.mean(0))
    torch.testing.assert_close(covariance, torch.cov(patches.T, correction=0), atol=1e-5, rtol=1e-5)
