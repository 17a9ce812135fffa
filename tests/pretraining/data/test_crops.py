from __future__ import annotations

import pytest
import torch

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import draw_crops, row_weights


def test_statistics_are_those_of_the_crops(tone_cache: LogMelCache) -> None:
    generator = torch.Generator().manual_seed(1)
    crops = draw_crops(tone_cache, row_weights(tone_cache.lengths, 96), 2000, 96, generator)
    assert tone_cache.mean == pytest.approx(float(crops.mean()), abs=0.2)
    assert tone_cache.std == pytest.approx(float(crops.std()), rel=0.05)


def test_short_clip_is_placed_in_silence(tone_cache: LogMelCache) -> None:
    generator = torch.Generator().manual_seed(0)
    crops = draw_crops(tone_cache, row_weights(tone_cache.lengths, 400), 200, 400, generator)
    assert crops.shape == (200, 1, 64, 400)
    silent = (crops[:, 0] == crops.min()).all(dim=1).sum(dim=1)
    # Every clip is shorter than a crop of four seconds, so a crop is a whole clip and silence.
    assert set((400 - silent).tolist()) <= set(tone_cache.lengths.tolist())


def test_long_rows_are_drawn_more_often(tone_cache: LogMelCache) -> None:
    weights = row_weights(torch.tensor([100, 300, 10]), 50)
    torch.testing.assert_close(weights, torch.tensor([100, 400, 450], dtype=torch.float64) / 450)
