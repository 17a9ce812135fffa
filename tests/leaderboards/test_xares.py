"""The encoder for X-ARES."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import byola_hear
from byola_hear.leaderboards.xares import ByolaEncoder
from byola_hear.models.loading import resolve

pytestmark = pytest.mark.skipif("both" not in byola_hear.list_models(), reason="the networks are not in this checkout")


@pytest.fixture(scope="module")
def encoder() -> ByolaEncoder:
    return ByolaEncoder("both")


def test_xares_own_check_passes(encoder: ByolaEncoder) -> None:
    checker = pytest.importorskip("xares.audio_encoder_checker", reason="pip install xares")
    assert checker.check_audio_encoder(encoder)


def test_it_has_what_xares_looks_for(encoder: ByolaEncoder) -> None:
    # X-ARES takes the one name of a file that ends in Encoder, and checks these attributes.
    module = ByolaEncoder.__module__
    names = [name for name in vars(__import__(module, fromlist=["x"])) if name.endswith("Encoder")]
    assert names == ["ByolaEncoder"] and isinstance(encoder, torch.nn.Module)
    assert (encoder.sampling_rate, encoder.output_dim, encoder.hop_size_in_ms) == (16000, 3072, 40.0)
    assert encoder(torch.randn(2, 50000)).shape == (2, 78, 3072)
    assert encoder(torch.randn(16000)).shape == (1, 25, 3072)


def test_embeddings_are_the_timestamp_embeddings(encoder: ByolaEncoder) -> None:
    audio = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 20000)).astype(np.float32) * 0.1)
    expected, times = resolve("both").timestamp_embeddings(audio)
    torch.testing.assert_close(encoder(audio), expected)
    assert torch.allclose(times[0].diff(), torch.tensor(encoder.hop_size_in_ms))


def test_another_shape_is_refused(encoder: ByolaEncoder) -> None:
    with pytest.raises(ValueError, match=r"expected audio \(n_clips, n_samples\) or \(n_samples,\), got \(1, 2, 3\)"):
        encoder(torch.zeros(1, 2, 3))
