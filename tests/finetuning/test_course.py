"""A course begins where the regression ended, learns, keeps its batch norms, and resumes exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("sklearn")

from byola_hear.classification.examples import Examples
from byola_hear.classification.fitting import Regression, logits
from byola_hear.finetuning.course import Course, Material, held_out_error
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.windows import log_mels
from byola_hear.models.model import ByolaModel

RECIPE = Recipe(epochs=4, batch_size=5, learning_rate=3e-3, patience=100, mixup=0.4)


class Killed(Exception):
    """Ends a course at some step, as a kill does."""


@pytest.fixture
def material(sweeps: Examples, model: ByolaModel, here: Path) -> Material:
    return Material(model, log_mels(sweeps, model.config, here / "l.f32"), sweeps.truth, RECIPE, 1.0)


def course(material: Material, examples: Examples, path: Path, held: bool = True) -> Course:
    every = np.arange(len(examples))
    rows, others = (every[every % 3 > 0], every[every % 3 == 0]) if held else (every, every[:0])
    regression = Regression(examples.embeddings[rows], examples.truth[rows])
    return Course(material, 0, rows, others, regression, regression.fit([1.0])[0], path)


def test_it_begins_where_the_regression_ended(material: Material, sweeps: Examples, here: Path) -> None:
    made = course(material, sweeps, here / "state.safetensors")
    held = np.arange(0, len(sweeps), 3)
    rows = np.setdiff1d(np.arange(len(sweeps)), held)
    (linear,) = Regression(sweeps.embeddings[rows], sweeps.truth[rows]).fit([1.0])
    expected = logits(linear, sweeps.embeddings[held])
    np.testing.assert_allclose(made.run(4)[0], expected, atol=2e-3)
    folded = course(material, sweeps, here / "other.safetensors").network.head.folded()
    np.testing.assert_allclose(folded.weight, linear.weight, atol=1e-4)
    np.testing.assert_allclose(folded.bias, linear.bias, atol=1e-3)


def test_it_learns_and_batch_norms_and_dropout_stay_as_they_are(
    material: Material, sweeps: Examples, here: Path
) -> None:
    longer = replace(material, recipe=replace(RECIPE, epochs=25))
    made = course(longer, sweeps, here / "state.safetensors")
    made.run(25)
    truth = material.truth[made.held]
    losses = [np.logaddexp(0, np.where(truth, -1.0, 1.0) * each).mean() for each in made.logits]
    assert min(losses[5:]) < 0.8 * losses[0]
    before, after = material.model.encoder.state_dict(), made.network.encoder.state_dict()
    for name, values in before.items():
        assert torch.equal(values, after[name]) == ("running" in name or "num_batches" in name), name
    dropout = [each for each in made.network.train().modules() if isinstance(each, nn.Dropout)]
    assert dropout and not any(each.training for each in dropout)


@pytest.mark.parametrize("killed_at", [1, 4, 7, 12])
def test_killed_anywhere_it_ends_like_an_uninterrupted_one(
    material: Material, sweeps: Examples, here: Path, killed_at: int
) -> None:
    whole = course(material, sweeps, here / "whole.safetensors")
    expected = whole.run(4)
    path = here / "parts.safetensors"
    killed = course(material, sweeps, path)

    def kill(reached: object) -> None:
        if killed.step > killed_at:
            raise Killed

    with pytest.raises(Killed):
        killed.run(4, save_seconds=0, on_step=kill)
    torch.rand(3)
    resumed = course(material, sweeps, path)
    assert resumed.step == killed_at
    assert np.array_equal(resumed.run(4), expected)
    for name, values in whole.network.state_dict().items():
        assert torch.equal(values, resumed.network.state_dict()[name]), name
    # What is over takes no more steps.
    again = course(material, sweeps, path)
    assert np.array_equal(again.run(4), expected) and again.errors == whole.errors


def test_the_network_of_a_course_without_held_out_windows_is_kept(
    material: Material, sweeps: Examples, here: Path
) -> None:
    made = course(material, sweeps, here / "all.safetensors", held=False)
    assert made.run(2).shape == (0, 0, 2)
    again = course(material, sweeps, here / "all.safetensors", held=False)
    again.run(2)
    assert again.step == 2 * again.per_epoch
    for name, values in made.network.state_dict().items():
        assert torch.equal(values, again.network.state_dict()[name]), name


def test_the_network_is_trained_in_bfloat16_and_checked_in_float32(
    material: Material, sweeps: Examples, here: Path
) -> None:
    plain = course(material, sweeps, here / "plain.safetensors")
    half = course(replace(material, dtype=torch.bfloat16), sweeps, here / "half.safetensors")
    expected, found = plain.run(1), half.run(1)
    assert np.array_equal(found[0], expected[0]) and not np.array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[1], expected[1], atol=0.3)
    assert all(each.dtype == torch.float32 for each in half.network.parameters())


def test_it_stops_early(material: Material, sweeps: Examples, here: Path) -> None:
    hopeless = replace(material, recipe=replace(RECIPE, epochs=30, learning_rate=1.0, patience=2))
    made = course(hopeless, sweeps, here / "state.safetensors")
    assert len(made.run(30)) < 31
    assert len(made.errors) - 1 - int(np.argmin(made.errors)) == 2


def test_windows_of_other_lengths_change_nothing(material: Material, sweeps: Examples, here: Path) -> None:
    """Held-out logits do not depend on what a window is put together with."""
    made = course(material, sweeps, here / "state.safetensors")
    windows = replace(material.windows, lengths=np.where(np.arange(len(sweeps)) % 2, 41, 30))
    mixed = course(replace(material, windows=windows), sweeps, here / "other.safetensors")
    one, other = made._held_out(), mixed._held_out()
    same = windows.lengths[made.held] == 41
    np.testing.assert_allclose(one[same], other[same], atol=1e-4)
    assert not np.allclose(one[~same], other[~same], atol=1e-4)


def test_the_error_leaves_out_what_is_not_known() -> None:
    truth = np.array([[True, False], [False, True], [False, True]])
    assert held_out_error(np.full((3, 2), np.nan), truth) == 1
    assert held_out_error(np.array([[3.0, np.nan], [2.0, np.nan], [1.0, np.nan]]), truth) == 0
    worst = held_out_error(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), truth)
    assert worst == pytest.approx(1 - (1 / 3 + (1 / 2 + 2 / 3) / 2) / 2)
