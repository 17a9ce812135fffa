"""A clip's embedding does not depend on its batch, on padding, on cuts or on the number of threads.

Two embeddings are the same if they differ by at most 1e-5 of the norm and, value by value, by at most 1e-5 of the
largest value.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from byola_hear.audio.reading import read_audio
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import build_encoder, encoder_to_dict
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig, frame_count, log_mel
from byola_hear.models.model import ByolaModel

SMALL: dict[str, EncoderShape] = {
    "convolutional": EncoderConfig(channels=4, hidden_size=8),
    # A block of 0.28 s: clips have several, and whole ones only by chance.
    "transformer": TransformerConfig(width=16, n_layers=2, n_heads=2, context=7),
}
#: Full sizes.
FULL: dict[str, EncoderShape] = {
    "v1": EncoderConfig.v1(512),
    "v2": EncoderConfig.v2(),
    "transformer": TransformerConfig(context=25),
}


def make_model(encoder: EncoderShape) -> ByolaModel:
    """A random model whose norms are no identities."""
    torch.manual_seed(0)
    network = build_encoder(encoder)
    for layer in network.modules():
        if isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0.0, 0.3)
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean = torch.randn(layer.num_features) * 0.3
            layer.running_var = torch.rand(layer.num_features) + 0.3
        if isinstance(encoder, TransformerConfig) and isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.1)  # attention that is far from even, as after training
    return ByolaModel(ModelConfig("test", "1", FrontendConfig(), encoder, -8.0, 4.5), network).eval()


@pytest.fixture(scope="module", params=FULL)
def model(request: pytest.FixtureRequest) -> ByolaModel:
    """Both published shapes and a transformer in full size."""
    return make_model(FULL[request.param])


@pytest.fixture(scope="module")
def clips(clips_folder: Path) -> list[Tensor]:
    """Real sounds, noise, silence and a click, of different lengths."""
    real = [
        torch.from_numpy(read_audio(clips_folder / name, 16000))[:40_000]
        for name in ("ambience_stereo_48k.opus", "piano_stereo_44k.mp3", "shutter_stereo_96k.ogg")
    ]
    noise = torch.randn(7_777, generator=torch.Generator().manual_seed(0)).clamp(-4, 4) / 4
    click = torch.zeros(3_000)
    click[1_500] = 1.0
    return [*real, noise, torch.zeros(5_000), click, torch.tensor([0.3])]


def assert_same(one: Tensor, other: Tensor) -> None:
    assert one.shape == other.shape and one.dtype == other.dtype
    assert (one - other).norm() <= 1e-5 * other.norm()
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5 * other.abs().max().item())


@pytest.fixture(scope="module")
def alone(model: ByolaModel, clips: list[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Scene embedding, timestamp embeddings and timestamps of each clip by itself."""
    results = []
    for clip in clips:
        embeddings, times = model.timestamp_embeddings(clip[None])
        results.append((model.scene_embeddings(clip[None])[0], embeddings[0], times[0]))
    return results


def check(model: ByolaModel, clips: list[Tensor], expected: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    scenes = model.scene_embeddings(clips)
    embeddings, times = model.timestamp_embeddings(clips)
    for index, (scene, frames, moments) in enumerate(expected):
        assert_same(scenes[index], scene)
        assert_same(embeddings[index], frames)
        assert torch.equal(times[index], moments)


def test_a_list_of_clips_equals_each_alone(
    model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]]
) -> None:
    check(model, clips, alone)
    check(model, clips[::-1], alone[::-1])


@pytest.mark.parametrize("seconds", [0.04, 0.3, 1.1])
def test_segments_of_any_length(
    model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]], seconds: float
) -> None:
    if seconds == 0.04:
        clips, alone = clips[3:], alone[3:]  # a pass for each frame feature takes a while
    model.segment_seconds = seconds
    try:
        check(model, clips, alone)
    finally:
        model.segment_seconds = None


def test_a_batch_equals_each_alone(model: ByolaModel, clips: list[Tensor]) -> None:
    n_samples = 16_500
    batch = torch.stack([clips[0][:n_samples], clips[1][:n_samples] * 0.01, torch.zeros(n_samples)])
    scenes = model.scene_embeddings(batch)
    embeddings, times = model.timestamp_embeddings(batch)
    for index in range(len(batch)):
        assert_same(scenes[index], model.scene_embeddings(batch[index : index + 1])[0])
        own, own_times = model.timestamp_embeddings(batch[index : index + 1])
        assert_same(embeddings[index], own[0])
        assert torch.equal(times[index], own_times[0])


def test_a_stream_equals_the_whole(
    model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]]
) -> None:
    model.segment_seconds = 0.5
    try:
        for clip, (scene, frames, times) in zip(clips, alone, strict=True):
            assert_same(model.stream_scene(clip.split(999)), scene)
            pieces = list(model.stream_timestamps(clip.split(4321)))
            assert_same(torch.cat([piece for piece, _ in pieces]), frames)
            assert torch.equal(torch.cat([moments for _, moments in pieces]), times)
    finally:
        model.segment_seconds = None


def test_two_threads(model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        check(model, clips[:2], alone[:2])
    finally:
        torch.set_num_threads(before)


def test_any_layout_in_memory(
    model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]]
) -> None:
    stereo = torch.stack([clips[0], torch.rand_like(clips[0])], dim=1)
    assert_same(model.scene_embeddings(stereo.T)[0], alone[0][0])
    assert_same(model.scene_embeddings(clips[0].expand(2, -1))[1], alone[0][0])


def test_the_same_call_gives_the_same_bits(model: ByolaModel, clips: list[Tensor]) -> None:
    assert torch.equal(model.scene_embeddings(clips), model.scene_embeddings(clips))


@torch.no_grad()
def test_padding_and_masking_the_plain_network_gives_the_same(
    model: ByolaModel, clips: list[Tensor], alone: list[tuple[Tensor, Tensor, Tensor]]
) -> None:
    # The usual way to batch unequal clips in training: pad the log-mels and pass the true lengths.
    counts = [frame_count(len(clip), model.config.frontend) for clip in clips]
    padded = torch.full((len(clips), 1, 64, max(counts)), 100.0)
    for row, clip, count in zip(padded, clips, counts, strict=True):
        row[0, :, :count] = (log_mel(clip) - model.config.mean) / model.config.std
    features = model.encoder(padded, torch.tensor(counts))
    for row, count, (scene, _, _) in zip(features, counts, alone, strict=True):
        own = row[: -(-count // model.config.encoder.stride)]
        assert_same(own.amax(0) + own.mean(0), scene)


@settings(max_examples=25)
@given(st.sampled_from(sorted(SMALL)), st.lists(st.integers(1, 8_000), min_size=1, max_size=5), st.integers(0, 1000))
def test_any_neighbours_and_any_cuts(kind: str, lengths: list[int], seed: int) -> None:
    model = make_model(SMALL[kind])
    generator = torch.Generator().manual_seed(seed)
    clips = [torch.rand(length, generator=generator) * 2 - 1 for length in lengths]
    together = model.scene_embeddings(clips)
    model.segment_seconds = 0.1
    for clip, embedding in zip(clips, together, strict=True):
        assert_same(model.scene_embeddings([clip])[0], embedding)
        assert_same(model.stream_scene(clip.split(1 + seed)), embedding)


@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
def test_five_minutes_take_hardly_more_memory_than_their_waveform(repository: Path) -> None:
    # In a separate process for each encoder, as the peak of memory is a process's; both are forked from one that has
    # imported torch. A spectrogram of the whole clip would take 120 MB.
    code = """
import json, os, resource, sys, torch
from byola_hear.models.encoders.registry import encoder_from_dict
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.config import ModelConfig
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
torch.set_num_threads(1)
for shape in sys.argv[1:]:
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        continue
    encoder = encoder_from_dict(json.loads(shape))
    model = ByolaModel(ModelConfig("test", "1", FrontendConfig(), encoder, -8.0, 4.5)).eval()
    model.scene_embeddings(torch.zeros(1, 320000))
    long = torch.zeros(1, 5 * 60 * 16000)
    before = peak()
    model.scene_embeddings(long)
    after_scene = peak()
    for _ in model.stream_timestamps(long[0].split(160000)):
        pass
    print(after_scene - before, peak() - before)
    break
"""
    shapes = [json.dumps(encoder_to_dict(shape)) for shape in SMALL.values()]
    result = subprocess.run(
        [sys.executable, "-c", code, *shapes], cwd=repository, capture_output=True, text=True, check=True
    )
    megabytes = dict(zip(SMALL, (tuple(map(float, line.split())) for line in result.stdout.splitlines()), strict=True))
    assert all(scene < 60 and stream < 60 for scene, stream in megabytes.values()), "MB beyond the waveform"
