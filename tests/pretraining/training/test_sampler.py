from __future__ import annotations

import torch

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.sampler import Sampler

HERE = Place(0, 1, torch.device("cpu"))


def test_memory_is_the_same_after_resuming(tone_cache: LogMelCache, tiny_recipe: Recipe) -> None:
    walked = Sampler(tone_cache, tiny_recipe, HERE)
    walked.start(0)
    for step in range(5):
        crops, past = walked.next(step)
        assert len(past) == min(15, 6 * step)
    resumed = Sampler(tone_cache, tiny_recipe, HERE)
    resumed.start(5)
    for expected, actual in zip(walked.next(5), resumed.next(5)):
        assert torch.equal(expected, actual)
    assert not torch.equal(crops, past[-6:])


def test_without_mixup_nothing_is_kept(tone_cache: LogMelCache, tiny_recipes: dict[str, Recipe]) -> None:
    sampler = Sampler(tone_cache, tiny_recipes["masked"], HERE)
    sampler.start(3)
    for step in range(3, 6):
        crops, past = sampler.next(step)
        assert torch.equal(crops, sampler.crops(step)) and len(past) == 0
    assert sampler.memory == []


def test_each_process_draws_other_crops(tone_cache: LogMelCache, tiny_recipe: Recipe) -> None:
    first, second = (Sampler(tone_cache, tiny_recipe, Place(rank, 2, torch.device("cpu"))) for rank in range(2))
    assert not torch.equal(first.crops(0), second.crops(0))
