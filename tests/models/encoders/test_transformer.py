"""The transformer: what a frame feature sees, which layers make it, exact masking, and the frozen form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from byola_hear.models.encoders.attention import rotated, rotations
from byola_hear.models.encoders.registry import encoder_from_dict, encoder_to_dict
from byola_hear.models.encoders.transformer import (
    AVERAGE,
    COMBINATIONS,
    CONCATENATE,
    FrozenTransformer,
    Transformer,
    TransformerConfig,
    normalised,
)

SMALL = TransformerConfig(n_mels=16, width=24, n_layers=3, n_heads=2, context=5)


def small(config: TransformerConfig = SMALL) -> Transformer:
    """A network whose attention is far from even, as after training."""
    torch.manual_seed(1)
    network = Transformer(config).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.2)
            nn.init.normal_(layer.bias, std=0.2)
    return network


def noise(batch: int, n_frames: int) -> Tensor:
    return torch.randn(batch, 1, 16, n_frames, generator=torch.Generator().manual_seed(2))


def test_sizes() -> None:
    with torch.device("meta"):
        network = Transformer(TransformerConfig(width=384, n_layers=12, n_heads=6))
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == 21.4
    assert (network.config.feature_size, network.config.stride, network.config.overlap) == (384 * 12, 4, 0)


@pytest.mark.parametrize("n_frames", [1, 3, 4, 5, 19, 20, 21, 40, 47])
def test_frame_counts(n_frames: int) -> None:
    features = small()(noise(2, n_frames))
    assert features.shape == (2, -(-n_frames // 4), 72)
    assert torch.isfinite(features).all()


def test_a_feature_sees_its_block_and_nothing_else() -> None:
    x = noise(1, 52).requires_grad_()  # two blocks of 20 log-mel frames, and one of 12
    features = small()(x)[0]
    for index, feature in enumerate(features):
        (gradient,) = torch.autograd.grad((feature**2 * torch.arange(72)).sum(), x, retain_graph=True)
        touched = gradient[0, 0].abs().sum(0).nonzero().flatten()
        begin = index // 5 * 20
        assert (int(touched.min()), int(touched.max())) == (begin, min(begin + 20, 52) - 1)


def test_a_block_is_the_same_wherever_it_stands() -> None:
    x = noise(1, 40)
    whole, second = small()(x), small()(x[..., 20:])
    torch.testing.assert_close(whole[:, 5:], second)


def test_padded_clips_equal_clips_by_themselves() -> None:
    network, lengths = small(), torch.arange(1, 45)
    clips = [noise(1, 45)[..., : int(length)] + 0.1 * length for length in lengths]
    padded = torch.full((len(clips), 1, 16, 61), 50.0)
    for row, clip in zip(padded, clips, strict=True):
        row[..., : clip.shape[-1]] = clip[0]
    with torch.no_grad():
        together = network(padded, lengths)
        assert torch.isfinite(together).all()
        for features, clip in zip(together, clips, strict=True):
            alone = network(clip)[0]
            torch.testing.assert_close(features[: len(alone)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_frames", [1, 3, 4, 20, 47, 60])
@pytest.mark.parametrize("taken", [(), (2,), (1, 3)])
@pytest.mark.parametrize("combine", COMBINATIONS)
def test_the_frozen_form_equals_the_network(combine: str, taken: tuple[int, ...], n_frames: int) -> None:
    network = small(replace(SMALL, taken=taken, combine=combine)).train()
    frames = noise(3, n_frames)
    frozen = FrozenTransformer(network)
    features = frozen.per_frame(frozen.in_context(frames[:, 0].transpose(1, 2)))
    assert not features.requires_grad and network.training
    torch.testing.assert_close(features, network(frames))


def test_chosen_layers_are_concatenated_or_averaged() -> None:
    x = noise(2, 20)
    outputs = list(small().outputs(small().tokens(x[:, 0].transpose(1, 2)), torch.arange(5)))
    assert len(outputs) == 3
    for taken in ((1,), (2, 3), ()):
        expected = [normalised(outputs[number - 1]) for number in taken or (1, 2, 3)]
        average = small(replace(SMALL, taken=taken, combine=AVERAGE))
        torch.testing.assert_close(average(x), torch.stack(expected).mean(0))
        concatenation = small(replace(SMALL, taken=taken, combine=CONCATENATE))
        torch.testing.assert_close(concatenation(x), torch.cat(expected, dim=-1))
        assert (average.config.feature_size, concatenation.config.feature_size) == (24, 24 * len(expected))


def test_layers_beyond_the_last_that_is_taken_are_not_computed() -> None:
    network = small(replace(SMALL, taken=(1, 2)))
    expected = network(noise(1, 20))
    for values in network.layers[2].parameters():
        values.data.fill_(float("nan"))
    assert torch.equal(network(noise(1, 20)), expected)


def test_gradients_reach_every_parameter() -> None:
    network = small().train()
    (network(noise(2, 30), torch.tensor([30, 9])) ** 2 * torch.arange(72)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_rotations_keep_lengths_and_depend_on_distances() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(8), torch.randn(8)

    def score(first: int, second: int) -> float:
        turns = rotations(torch.tensor([first, second]), 8)
        one, other = rotated(torch.stack([query, key]), *turns)
        assert one.norm().item() == pytest.approx(query.norm().item(), rel=1e-5)
        return float(one @ other)

    assert score(3, 10) == pytest.approx(score(20, 27), abs=1e-4)
    assert abs(score(3, 10) - score(3, 4)) > 1e-2


def test_the_configuration_survives_json() -> None:
    config = replace(SMALL, taken=(2, 3))
    data = json.loads(json.dumps(encoder_to_dict(config)))
    assert data == encoder_to_dict(config)
    assert encoder_from_dict(data) == config


def test_configurations_from_before_layers_could_be_concatenated() -> None:
    data = {name: value for name, value in encoder_to_dict(SMALL).items() if name not in ("taken", "combine")}
    config = encoder_from_dict({**data, "averaged": [2, 3]})
    assert config == replace(SMALL, taken=(2, 3), combine=AVERAGE)


@pytest.mark.parametrize("shape", [(2, 16, 30), (2, 2, 16, 30), (2, 1, 64, 30), (16, 30)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected log-mels of shape \(batch, 1, 16, n_frames\), got"):
        small()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_layers": 0}, "n_layers must be a positive integer, got 0"),
        ({"context": 100.0}, "context must be a positive integer, got 100.0"),
        ({"width": 190}, "width must be a multiple of 2 \\* n_heads = 6, as .* got 190"),
        ({"taken": (7,)}, "taken must be layers from 1 to 6, got \\[7\\]"),
        ({"taken": (0,)}, "taken must be layers from 1 to 6, got \\[0\\]"),
        ({"taken": (2, 1)}, "taken must be layers in ascending order, got \\[2, 1\\]"),
        ({"taken": 3}, "taken must be a list of layers' numbers, got 3"),
        ({"combine": "sum"}, "combine must be 'concatenate' or 'average', got 'sum'"),
    ],
)
def test_impossible_shapes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**change)  # type: ignore[arg-type]
