from __future__ import annotations

import json
from itertools import pairwise

import pytest

from byola_hear.pretraining.training.recipe import Recipe, differences


def test_learning_rate_warms_up_and_falls() -> None:
    recipe = Recipe(steps=100, warm_up_steps=10, learning_rate=1.0, final_learning_rate=0.1)
    rates = [recipe.learning_rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0
    assert rates[9] == rates[10] == 1.0
    assert all(later <= earlier for earlier, later in pairwise(rates[10:]))
    assert recipe.learning_rate_at(100) == pytest.approx(0.1)


def test_decay_of_the_target_rises() -> None:
    recipe = Recipe(steps=50, ema_decay=0.9, final_ema_decay=1.0)
    decays = [recipe.ema_decay_at(step) for step in range(51)]
    assert decays[0] == pytest.approx(0.9)
    assert decays[-1] == pytest.approx(1.0)
    assert decays == sorted(decays)


def test_recipe_survives_json() -> None:
    recipe = Recipe(steps=7, crop_frames=200)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_older_recipes_without_a_kind_of_encoder_are_read_and_equal() -> None:
    new = Recipe(steps=7).to_dict()
    old = {**new, "encoder": {key: value for key, value in new["encoder"].items() if key != "kind"}}
    assert new["encoder"]["kind"] == "convolutional"
    assert Recipe.from_dict(old) == Recipe.from_dict(new)
    assert differences(old, new) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch_size": 1},
        {"crop_frames": 95},
        {"learning_rate": 0.0},
        {"final_learning_rate": 1.0},
        {"ema_decay": 1.1},
        {"warm_up_steps": -1},
        {"weight_decay": -0.1},
        {"seed": 20240101123},
    ],
)
def test_invalid_recipes_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        Recipe(**wrong)
