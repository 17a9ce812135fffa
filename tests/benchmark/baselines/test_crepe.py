"""CREPE against torchcrepe."""

from __future__ import annotations

import pytest
import torch

from benchmark.baselines import crepe
from benchmark.baselines.pretrained import import_torchaudio_without_extension
from tests.benchmark.baselines.available import available, noise


@torch.no_grad()
@pytest.mark.parametrize("size", ["tiny", "full"])
def test_crepe_is_torchcrepes_embedding(size: str) -> None:
    import_torchaudio_without_extension()
    torchcrepe = pytest.importorskip("torchcrepe")
    model = available("crepe" if size == "full" else "crepe_tiny")
    clip = noise(2000)
    expected = torchcrepe.embed(clip[None], 16000, 800, size)[0].flatten(1)
    torch.testing.assert_close(model.frames(clip), expected, rtol=1e-4, atol=1e-4)


def test_crepe_sizes() -> None:
    assert crepe.Crepe("tiny").scene_embedding_size == 256
    with torch.device("meta"):
        full = crepe.Crepe("full")
    assert full.timestamp_embedding_size == 2048
    # The 22.2 million that the paper speaks of.
    assert sum(each.numel() for each in full.parameters()) == 22_239_976


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (799, 1), (800, 2), (16000, 21)])
def test_crepes_windows_are_standardised_around_every_50_ms(n_samples: int, n_frames: int) -> None:
    windows = crepe.Crepe("tiny").windows(noise(n_samples) + 0.5)
    assert windows.shape == (n_frames, 1024)
    torch.testing.assert_close(windows.mean(1), torch.zeros(n_frames), atol=1e-4, rtol=0)
    torch.testing.assert_close(windows.std(1), torch.ones(n_frames), atol=1e-4, rtol=0)
