from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from byola_hear.pretraining.data.ambience import AmbienceMixer
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import crops_of_rows, draw_crops, kind_factors, row_weights


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


def test_kinds_are_drawn_by_weight_and_speech_keeps_its_share() -> None:
    kinds = ["speech", "effects", "music", "music"]
    lengths = torch.tensor([400, 100, 200, 100])
    cumulative = row_weights(lengths, 50, kind_factors(kinds, lengths, {"effects": 3.0}))
    shares = cumulative.diff(prepend=torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.25, 1 / 6, 1 / 12], dtype=torch.float64))


@pytest.mark.parametrize("weights", [{"effect": 2.0}, {"speech": 2.0}, {"effects": 0.0, "music": 0.0}])
def test_weights_of_other_kinds_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        kind_factors(["speech", "effects", "music"], torch.tensor([1, 1, 1]), weights)


def test_loudest_place_is_taken(tone_cache: LogMelCache) -> None:
    rising = torch.arange(200.0).half()[:, None].expand(200, 64).contiguous()
    cache = replace(tone_cache, frames=rising, starts=torch.tensor([0]), lengths=torch.tensor([200]))
    row = torch.zeros(50, dtype=torch.int64)
    one, four = (crops_of_rows(cache, row, 16, torch.Generator().manual_seed(3), n)[:, 0, 0, 0] for n in (1, 4))
    assert (four >= one).all()
    # The largest of four uniform places lies at four fifths.
    assert 130 < float(four.mean()) < 165
    assert 75 < float(one.mean()) < 110


def test_ambience_lies_under_effects_alone(tone_cache: LogMelCache) -> None:
    n_rows = len(tone_cache.lengths)
    kinds = ("effects", "ambience", *["speech"] * (n_rows - 2))
    cache = replace(tone_cache, kinds=kinds)
    row = torch.arange(3).repeat(20)
    generator = torch.Generator().manual_seed(0)
    crops = crops_of_rows(cache, row, 32, generator)
    mixed = AmbienceMixer(cache, 32)(crops, row, 0.5, generator)
    changed = (mixed != crops).flatten(1).any(dim=1)
    assert not changed[row != 0].any()
    assert 4 <= int(changed[row == 0].sum()) <= 16
    # Sound is added, never taken away, and at most 5 dB above the event.
    assert (mixed >= crops - 1e-4).all()
    power, total = (x[changed].exp().mean(dim=(1, 2, 3)) for x in (crops, mixed))
    assert (total <= power * (1 + 10**0.5) * 1.001).all()
    with pytest.raises(ValueError, match="ambience"):
        AmbienceMixer(replace(tone_cache, kinds=("speech",) * n_rows), 32)
