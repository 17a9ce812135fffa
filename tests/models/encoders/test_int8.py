"""8-bit integers: exact products, one scale per frame feature, and the errors that are stated."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import byola_hear
from byola_hear.audio.reading import read_audio
from byola_hear.models.encoders.int8 import LARGEST, Int8Linear, int8_linear
from byola_hear.models.model import ByolaModel
from tests.models.test_model import small_model

pytestmark = pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")

SOUNDS = sorted(path for path in (Path(__file__).parents[2] / "data").iterdir() if path.suffix in {".flac", ".wav"})


@pytest.fixture(scope="module")
def network() -> ByolaModel:
    return byola_hear.load_model()


def test_products_of_the_largest_integers_are_exact() -> None:
    # All inputs and weights at their limits: a processor without VNNI saturates here if the inputs go to 255.
    linear = nn.Linear(2048, 3)
    with torch.no_grad():
        linear.weight.fill_(1.0)
        linear.weight[1] = -1.0
        linear.bias.zero_()
    found = Int8Linear(linear)(torch.ones(2, 2048))
    assert found.tolist() == [[2048.0, 0.0, 2048.0]] * 2


def test_inputs_are_rounded_with_the_scale_of_their_row() -> None:
    linear = nn.Linear(1, 1)
    with torch.no_grad():
        linear.weight.fill_(1.0)
        linear.bias.zero_()
    values = torch.tensor([[1e-3], [7.0], [1e6]])
    torch.testing.assert_close(Int8Linear(linear)(values), values)
    two = nn.Linear(2, 1, bias=True)
    with torch.no_grad():
        two.weight.fill_(1.0)
        two.bias.fill_(0.5)
    # 0.3 of the row's largest value becomes 38 of 127.
    torch.testing.assert_close(Int8Linear(two)(torch.tensor([[10.0, 3.0]])), torch.tensor([[10 + 380 / LARGEST + 0.5]]))


def test_silent_rows_give_the_bias() -> None:
    linear = nn.Linear(4, 3)
    torch.testing.assert_close(Int8Linear(linear)(torch.zeros(2, 4)), linear.bias.detach().relu().expand(2, 3))


def test_changed_weights_are_rounded_anew() -> None:
    linear = nn.Linear(4, 3)
    before = int8_linear(linear)
    assert int8_linear(linear) is before
    with torch.no_grad():
        linear.weight.mul_(2.0)
    assert int8_linear(linear) is not before


def new_memory(linear: nn.Linear, weight: Tensor) -> None:
    linear.weight.data = weight


def a_copy_past_the_count(linear: nn.Linear, weight: Tensor) -> None:
    linear.weight.data.copy_(weight)


def assigned_state(linear: nn.Linear, weight: Tensor) -> None:
    linear.load_state_dict({"weight": weight, "bias": linear.bias.detach()}, assign=True)


def other_parameters(linear: nn.Linear, weight: Tensor) -> None:
    vector = torch.cat([weight.flatten(), linear.bias.detach()])
    nn.utils.vector_to_parameters(vector, linear.parameters())


@pytest.mark.parametrize("change", [new_memory, a_copy_past_the_count, assigned_state, other_parameters])
def test_weights_that_changed_uncounted_are_rounded_anew(change: Callable[[nn.Linear, Tensor], None]) -> None:
    linear, x = copy.deepcopy(nn.Linear(40, 30)), torch.rand(5, 40)  # a copy's changes are counted from zero
    weight = torch.randn(30, 40)
    int8_linear(linear)
    change(linear, weight)
    expected = nn.functional.linear(x, weight, linear.bias.detach()).relu()
    torch.testing.assert_close(int8_linear(linear)(x), expected, rtol=0, atol=0.05 * expected.max().item())


def test_embeddings_move_by_less_than_a_percent(network: ByolaModel) -> None:
    integers = network.in_precision("int8")
    clips = [torch.from_numpy(read_audio(sound, network.sample_rate)) for sound in SOUNDS]
    exact, close = network.scene_embeddings(clips), integers.scene_embeddings(clips)
    errors = (exact - close).norm(dim=1) / exact.norm(dim=1)
    assert 0 < errors.min() and errors.max() < 0.005
    exact, close = (each.timestamp_embeddings(clips[:1])[0][0] for each in (network, integers))
    errors = (exact - close).norm(dim=1) / exact.norm(dim=1)
    assert errors.max() < 0.01


def test_embeddings_depend_on_the_clip_alone(network: ByolaModel) -> None:
    integers = network.in_precision("int8")
    clips = [torch.from_numpy(read_audio(sound, network.sample_rate)) for sound in SOUNDS]
    together = integers.scene_embeddings([*clips, torch.zeros(1)])
    for row, clip in zip(together, clips, strict=False):
        tolerance = {"rtol": 1e-5, "atol": 1e-5 * row.abs().max().item()}
        torch.testing.assert_close(integers.scene_embeddings([clip])[0], row, **tolerance)
        torch.testing.assert_close(integers.stream_scene(clip.split(7777)), row, **tolerance)


@pytest.mark.parametrize("name", ["both", "distilled-small"])
def test_short_segments_turn_few_roundings(name: str) -> None:
    integers = byola_hear.load_model(name).in_precision("int8")
    clips = [torch.from_numpy(read_audio(sound, integers.sample_rate)) for sound in SOUNDS]
    whole = integers.scene_embeddings(clips)
    integers.segment_seconds = 0.4
    cut = integers.scene_embeddings(clips)
    assert ((cut - whole).norm(dim=1) < 1e-3 * whole.norm(dim=1)).all()


def test_it_needs_a_network_on_the_cpu() -> None:
    model = small_model()
    model._int8 = True
    model.to("meta")
    with pytest.raises(ValueError, match="int8 computes on a CPU only, got a network on meta"):
        model.frame_features()
