from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from byola_hear.pretraining.byol.networks import embedding_std
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.distillation.method import distillation_loss
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.train import Trainer


def test_the_loss_is_one_minus_the_cosine_where_a_teacher_teaches() -> None:
    predicted = torch.tensor([[1.0, 0.0, 3.0, 0.0], [1.0, 0.0, 1.0, 1.0]])
    wanted = torch.tensor([[0.0, 2.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0]])
    there = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    # Right angle, same direction, opposite direction; the fourth pair does not count.
    torch.testing.assert_close(distillation_loss(predicted, wanted, there, (2, 2)), torch.tensor((1.0 + 0.0 + 2.0) / 3))


def test_nothing_to_teach_is_no_loss() -> None:
    nothing = torch.zeros(2, 2)
    assert float(distillation_loss(torch.ones(2, 4), torch.zeros(2, 4), nothing, (2, 2))) == 0


def test_a_student_that_collapses_has_no_spread(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(tiny_recipe, method="distil", teachers={"teacher": {"size": 2}})
    trainer = Trainer(tone_cache, recipe, tmp_path, Place(0, 1, torch.device("cpu")), "float32")
    crops, vectors = torch.randn(6, 1, 64, 32), torch.tensor([[1.0, 0.0], [-1.0, 1.0]]).repeat(3, 1)
    taught = torch.cat([torch.ones(6, 1), vectors], dim=1)
    assert embedding_std(trainer.train_step(crops, taught)[1]) > 0.01
    torch.nn.init.zeros_(trainer.online.get_parameter("head.weight"))
    assert embedding_std(trainer.train_step(crops, taught)[1]) == 0
