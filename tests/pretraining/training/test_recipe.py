from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import AVERAGE, TransformerConfig
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.training.methods import METHODS, build_method
from byola_hear.pretraining.training.recipe import OWN_SETTINGS, Recipe, differences


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


def test_recipes_hold_the_settings_of_their_method_alone() -> None:
    recipe = Recipe.masked()
    assert "views" not in recipe.to_dict() and "masking" not in Recipe().to_dict()
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    wider = TransformerConfig(width=384, n_heads=6, combine=AVERAGE)
    changed = replace(recipe, masking=MaskConfig(masks=8), encoder=wider)
    assert differences(recipe.to_dict(), changed.to_dict()) == "masks 4, got 8, width 192, got 384, n_heads 3, got 6"


def test_recipes_older_than_methods_are_of_byol() -> None:
    new = Recipe(steps=7).to_dict()
    old = {key: value for key, value in new.items() if key not in ("method", "reference_batch")}
    assert Recipe.from_dict(old) == Recipe(steps=7)
    assert differences(old, new) == ""
    assert "method byol, got masked" in differences(old, Recipe.masked().to_dict())


def test_the_order_of_teachers_counts() -> None:
    teachers = {"first": {"size": 2}, "second": {"size": 2}}
    recipe, swapped = (Recipe.distil(dict(each)).to_dict() for each in (teachers.items(), reversed(teachers.items())))
    assert differences(recipe, swapped) == "teachers first, second, got second, first"
    assert differences(recipe, json.loads(json.dumps(recipe))) == ""


def test_recipes_of_transformers_from_before_layers_could_be_concatenated() -> None:
    now = replace(Recipe(), encoder=TransformerConfig(combine=AVERAGE)).to_dict()
    before = {key: value for key, value in now["encoder"].items() if key not in ("taken", "combine")}
    assert differences({**now, "encoder": {**before, "averaged": []}}, now) == ""
    other = replace(Recipe(), encoder=TransformerConfig()).to_dict()
    expected = "combine average, got concatenate"
    assert differences({**now, "encoder": {**before, "averaged": []}}, other) == expected


def test_the_batch_scales_rate_and_decay() -> None:
    recipe = Recipe(steps=100, warm_up_steps=0, learning_rate=1e-3, ema_decay=0.99, reference_batch=32)
    assert recipe.learning_rate_at(0, crops=128) == pytest.approx(2e-3)
    assert recipe.ema_decay_at(0, crops=128) == pytest.approx(0.99**4)
    assert recipe.ema_decay_at(0, crops=16) == pytest.approx(0.99**0.5)
    assert replace(recipe, reference_batch=0).learning_rate_at(0, crops=128) == 1e-3


def test_every_method_can_be_built_and_its_target_follows_by_name() -> None:
    assert set(METHODS) == set(OWN_SETTINGS)
    for name in METHODS:
        small = EncoderConfig(channels=4, hidden_size=8)
        own: dict[str, Any] = {"projector_hidden": 8, "teachers": {"x": {"size": 3}}}
        method = build_method(replace(Recipe.masked(), method=name, encoder=small, **own))
        followed = dict(method.online.named_parameters())
        encoder = method.online.get_submodule("encoder")
        assert {f"encoder.{key}" for key, _ in encoder.named_parameters()} <= set(followed)
        assert all(followed[key].shape == value.shape for key, value in method.target.named_parameters())


def test_distillation_without_a_teacher_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one teacher"):
        Recipe.distil({})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_frames": 396}, "at least two whole spans of 5 frame features, got 99"),
        ({"crop_frames": 600}, "no longer than the encoder's context of 100 frame features, got 150"),
    ],
)
def test_crops_that_can_not_be_masked_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Recipe.masked(), **change)


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
        {"reference_batch": -1},
        {"method": "guessing"},
        {"weight_decay": -0.1},
        {"seed": 20240101123},
    ],
)
def test_invalid_recipes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        Recipe(**wrong)
