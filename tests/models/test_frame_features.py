"""Segments: where clips are cut, and that frame features do not depend on the cuts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape, FrameEncoder
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frame_features import FrameFeatures, cuts
from byola_hear.models.frontend import FrontendConfig, log_mel

FRONTEND = FrontendConfig()
ENCODERS: dict[str, EncoderShape] = {
    "v1": EncoderConfig(n_blocks=3, channels=4, hidden_size=8, concatenate_local=False),
    "v2": EncoderConfig(n_blocks=2, channels=4, hidden_size=8),
    "transformer": TransformerConfig(width=8, n_layers=2, n_heads=2, context=5),
}


def encoder(shape: str) -> FrameEncoder:
    torch.manual_seed(0)
    return build_encoder(ENCODERS[shape]).eval()


def noise(n_samples: int) -> Tensor:
    return torch.rand(n_samples, generator=torch.Generator().manual_seed(n_samples)) - 0.5


def plain(network: FrameEncoder, clip: Tensor) -> Tensor:
    """Frame features of a clip in one go by the trainable network."""
    with torch.no_grad():
        return network(((log_mel(clip) + 8) / 4)[None, None])[0]


def segmented(network: FrameEncoder, seconds: float | None) -> FrameFeatures:
    return FrameFeatures(FRONTEND, -8.0, 4.0, network, seconds)


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 50), st.integers(1, 10))
def test_cuts_cover_the_range_evenly(start: int, length: int, blocks: int, block: int) -> None:
    pieces = cuts(start, start + length, blocks * block, block)
    sizes = [last - first for first, last in pieces]
    assert pieces[0][0] == start and pieces[-1][1] == start + length
    assert all(one[1] == next_one[0] for one, next_one in pairwise(pieces))
    assert all((first - start) % block == 0 for first, _ in pieces)
    assert max(sizes) <= blocks * block and max(sizes) - min(sizes) < 2 * block
    assert len(pieces) == -(-length // (blocks * block))


def test_an_empty_range_is_one_empty_piece() -> None:
    assert cuts(5, 5, 8, 4) == [(5, 5)]


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(ENCODERS)),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=5),
    st.sampled_from([0.01, 0.1, 0.35, 0.7, None]),
)
def test_clips_equal_the_plain_network(shape: str, lengths: list[int], seconds: float | None) -> None:
    network = encoder(shape)
    clips = [noise(length) for length in lengths]
    pieces: list[list[Tensor]] = [[] for _ in clips]
    order = []
    for index, features in segmented(network, seconds).of_clips(clips):
        pieces[index].append(features)
        order.append(index)
    assert order == sorted(order)
    for clip, of_clip in zip(clips, pieces, strict=True):
        torch.testing.assert_close(torch.cat(of_clip), plain(network, clip), rtol=1e-5, atol=1e-5)


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(ENCODERS)),
    st.lists(st.integers(0, 9_000), min_size=1, max_size=6).filter(any),
    st.sampled_from([0.01, 0.1, 0.35, None]),
)
def test_blocks_of_any_sizes_equal_the_plain_network(shape: str, sizes: list[int], seconds: float | None) -> None:
    network = encoder(shape)
    clip = noise(sum(sizes))
    pieces = list(segmented(network, seconds).of_blocks(clip.split(sizes)))
    features = torch.cat([piece for piece, _ in pieces])
    assert pieces[-1][1] == len(clip)
    torch.testing.assert_close(features, plain(network, clip), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", ENCODERS)
def test_blocks_of_single_samples(shape: str) -> None:
    network = encoder(shape)
    clip = noise(2000)
    features = [piece for piece, _ in segmented(network, 0.04).of_blocks(clip.split(1))]
    torch.testing.assert_close(torch.cat(features), plain(network, clip), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", ENCODERS)
def test_blocks_may_use_the_same_memory(shape: str) -> None:
    network, clip, memory = encoder(shape), noise(20_000), torch.empty(1000)

    def blocks() -> Iterator[Tensor]:
        for block in clip.split(1000):
            memory.copy_(block)
            yield memory

    features = torch.cat([piece for piece, _ in segmented(network, 0.35).of_blocks(blocks())])
    torch.testing.assert_close(features, plain(network, clip), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", ENCODERS)
def test_features_are_yielded_before_the_stream_ends(shape: str) -> None:
    taken = 0

    def blocks() -> Iterator[Tensor]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield torch.zeros(1600)

    features = segmented(encoder(shape), 0.4).of_blocks(blocks())
    next(features)
    assert taken < 10


def test_wrong_blocks_are_refused_by_number() -> None:
    features = segmented(encoder("v2"), None)
    with pytest.raises(ValueError, match="block 1 as float32"):
        list(features.of_blocks([torch.zeros(8), torch.zeros(8, dtype=torch.int16)]))
    with pytest.raises(TypeError, match="block 0 as a torch tensor, got list"):
        list(features.of_blocks([[0.0]]))  # type: ignore[list-item]
    for nothing in ([], [torch.zeros(0)]):
        with pytest.raises(ValueError, match="at least one sample"):
            list(features.of_blocks(nothing))


def test_segments_without_a_length_are_refused() -> None:
    with pytest.raises(ValueError, match="segment_seconds must be positive, got 0"):
        segmented(encoder("v2"), 0)
