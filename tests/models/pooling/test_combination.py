"""The pooling is defined once, and reaches every pool and every embedding by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.clip import ClipPool
from byola_hear.models.pooling.combination import MEAN, combination, pooled
from byola_hear.models.pooling.grid import Grid, GridPool
from byola_hear.models.pooling.window import WindowPool

CONFIG = ModelConfig("test", "1", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -8.0, 4.5)


@pytest.mark.parametrize("name", ["max", "", None, 3])
def test_unknown_poolings_are_refused(name: object) -> None:
    with pytest.raises(ValueError, match="pooling must be 'max\\+mean' or 'mean', got"):
        combination(name)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="pooling must be 'max\\+mean' or 'mean', got"):
        replace(CONFIG, pooling=name)  # type: ignore[arg-type]


def test_every_pool_follows_the_name() -> None:
    frames = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    clip, window = ClipPool(MEAN), WindowPool(13, MEAN)
    grid = GridPool(Grid(window=7, hop=7, origin=0, first_centre=0.5, frame=1), MEAN)
    clip.add(frames)
    results = {
        "clip": clip.result(),
        "window": torch.cat(list(window.windows([frames])))[3],
        "grid": torch.cat([rows for _, rows in [*grid.add(frames, 7), *grid.finish(7)]])[0],
        "at once": pooled(frames[None], MEAN)[0],
    }
    for name, result in results.items():
        torch.testing.assert_close(result, frames.mean(0), msg=name)


def test_a_model_follows_the_name_in_every_embedding() -> None:
    torch.manual_seed(0)
    model = ByolaModel(replace(CONFIG, pooling=MEAN, window_frames=1)).eval()
    clip = torch.rand(4000, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.no_grad():
        frames = model(clip[None])[0]
    torch.testing.assert_close(model.scene_embeddings([clip])[0], frames.mean(0))
    torch.testing.assert_close(model.stream_scene(clip.split(700)), frames.mean(0))
    expected = frames[: len(model.timestamp_embeddings([clip])[0][0])]
    torch.testing.assert_close(model.timestamp_embeddings([clip])[0][0], expected)
    torch.testing.assert_close(torch.cat([rows for rows, _ in model.stream_timestamps([clip])]), expected)
    assert model.fingerprint() != ByolaModel(CONFIG, model.encoder).fingerprint()
