"""Resemblyzer against librosa and real voices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.baselines import resemblyzer
from tests.benchmark.baselines.available import available, noise


def test_resemblyzers_mel_is_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    clip = noise(8000)
    expected = librosa.feature.melspectrogram(y=clip.numpy(), sr=16000, n_fft=400, hop_length=160, n_mels=40)
    np.testing.assert_allclose(resemblyzer.Resemblyzer().mel(clip).numpy(), expected.T, rtol=1e-3, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize(("n_samples", "n_windows"), [(1, 1), (25600, 1), (25601, 2), (38400, 2), (38401, 3)])
def test_resemblyzers_windows(n_samples: int, n_windows: int) -> None:
    model = resemblyzer.Resemblyzer().eval()
    frames = model.frames(noise(n_samples))
    assert frames.shape == (n_windows, 256)
    lengths = torch.linalg.vector_norm(torch.cat([frames, model.scene(noise(n_samples))[None]]), dim=1)
    torch.testing.assert_close(lengths, torch.ones(n_windows + 1))


def test_soft_clips_are_amplified_and_loud_ones_are_not() -> None:
    soft = resemblyzer.amplified(noise(1000) * 1e-3)
    assert 20 * np.log10(soft.square().mean().sqrt().item()) == pytest.approx(-30, abs=1e-3)
    assert torch.equal(resemblyzer.amplified(noise(1000)), noise(1000))
    assert torch.equal(resemblyzer.amplified(torch.zeros(10)), torch.zeros(10))


def test_resemblyzer_hears_the_same_voice_again(clips_folder: object) -> None:
    from byola_hear.audio.reading import read_audio

    model = available("resemblyzer")
    french, english = (
        torch.from_numpy(read_audio(f"{clips_folder}/speech_{name}.wav", 16000))
        for name in ("french_16k", "english_8k")
    )
    halves = [*french.chunk(2), *english.chunk(2)]
    embeddings = resemblyzer.get_scene_embeddings(halves, model)
    likeness = embeddings @ embeddings.T
    assert min(likeness[0, 1], likeness[2, 3]) > likeness[:2, 2:].max()
