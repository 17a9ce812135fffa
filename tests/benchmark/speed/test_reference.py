"""The reference gives the same embeddings."""

from __future__ import annotations

import pytest
import torch

from benchmark.baselines import untrained, untrained_transformer
from benchmark.speed import reference
from benchmark.speed.embedding_methods import noise
from benchmark.speed.reference import PlainModel, windowed_embeddings
from byola_hear.models.model import ByolaModel


@pytest.fixture(scope="module", params=[untrained, untrained_transformer], ids=["convolutional", "transformer"])
def model(request: pytest.FixtureRequest) -> ByolaModel:
    return request.param.untrained_model(0, -8.0, 4.5)


@pytest.mark.parametrize("with_torchaudio", [True, False])
def test_the_plain_network_gives_the_same_embeddings(
    model: ByolaModel, with_torchaudio: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_torchaudio:
        monkeypatch.setattr(reference, "_import_mel_spectrogram", lambda: None)
    plain = PlainModel(model)
    if with_torchaudio and not plain.front_end.startswith("torchaudio"):
        pytest.skip("torchaudio is not installed")
    clips = noise(2, 1.3, model.sample_rate)
    torch.testing.assert_close(plain.scene_embeddings(clips), model.scene_embeddings(clips), rtol=1e-4, atol=1e-4)


def test_windows_are_centred_on_their_times(model: ByolaModel) -> None:
    clip = noise(1, 1.0, model.sample_rate)[0]
    windowed = windowed_embeddings(model.scene_embeddings, clip, model.sample_rate, batch=7)
    assert windowed.shape == (21, model.scene_embedding_size)
    alone = model.scene_embeddings(torch.nn.functional.pad(clip, (0, 8000))[None, 8000:24000])
    torch.testing.assert_close(windowed[20:21], alone, rtol=1e-4, atol=1e-4)
