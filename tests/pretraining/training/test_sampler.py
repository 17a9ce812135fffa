from __future__ import annotations

from dataclasses import replace

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


def test_second_views_are_other_crops_of_the_clip_or_of_the_note(tone_cache: LogMelCache, tiny_recipe: Recipe) -> None:
    first = Sampler(tone_cache, tiny_recipe, HERE).crops(3)
    pairs = Sampler(tone_cache, replace(tiny_recipe, second_view="clip"), HERE).crops(3)
    assert len(pairs) == 2 * len(first)
    assert torch.equal(pairs[: len(first)], first)
    assert not torch.equal(pairs[len(first) :], first)
    n_rows = len(tone_cache.lengths)
    rolled = replace(tone_cache, partners=torch.arange(n_rows).roll(1))
    partners = Sampler(rolled, replace(tiny_recipe, second_view="note"), HERE).crops(3)
    assert torch.equal(partners[: len(first)], first)
    assert not torch.equal(partners[len(first) :], pairs[len(first) :])


def test_memory_holds_first_views_alone(tone_cache: LogMelCache, tiny_recipe: Recipe) -> None:
    sampler = Sampler(tone_cache, replace(tiny_recipe, second_view="clip"), HERE)
    sampler.start(2)
    crops, past = sampler.next(2)
    assert len(past) == 12
    assert len(sampler.next(3)[1]) == 15
    assert len(crops) == 12


def test_kind_of_weight_0_is_never_drawn(tone_cache: LogMelCache, tiny_recipe: Recipe) -> None:
    kinds = ("effects", *["music"] * (len(tone_cache.lengths) - 1))
    recipe = replace(tiny_recipe, kind_weights={"effects": 0.0})
    sampler = Sampler(replace(tone_cache, kinds=kinds), recipe, HERE)
    assert float(sampler.weights[0]) == 0.0
