"""Speed of pre-training: the rows, the plan, and what is counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.__main__ import main
from benchmark.speed import training
from benchmark.speed.training import planned_hours
from benchmark.speed.training_methods import REFERENCE, recipes
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.training.cost import operations_per_crop
from byola_hear.pretraining.training.recipe import Recipe


def small(recipe: Recipe) -> Recipe:
    """The same method and kind of encoder, tiny."""
    if isinstance(recipe.encoder, TransformerConfig):
        shape = replace(recipe.encoder, width=16, n_layers=1, n_heads=1)
        return replace(recipe, encoder=shape, projector_hidden=8, masking=MaskConfig(decoder_width=16))
    convolutional = EncoderConfig(channels=4, hidden_size=8)
    return replace(recipe, encoder=convolutional, projector_hidden=8, masking=MaskConfig(decoder_width=16))


def test_a_table_of_all_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {name: small(recipe) for name, recipe in recipes(8, 16, 1).items()}
    monkeypatch.setattr(training, "recipes", lambda *_: made)
    arguments = ["training", "--turns", "1", "--device", "cpu", "--no-progress", "--peak", "1"]
    for ending in ("json", "md"):
        arguments += ["-o", str(tmp_path / f"speed.{ending}")]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert not stopped.value.code
    result = json.loads((tmp_path / "speed.json").read_text())
    assert list(result["rows"]) == list(made)
    assert result["rows"][REFERENCE]["ratio"] == 1
    for row in result["rows"].values():
        assert row["crops"] * row["crop_seconds"] == pytest.approx(row["seconds"])
        assert row["sustained"] == pytest.approx(row["seconds"] * row["operations"])
    text = (tmp_path / "speed.md").read_text()
    assert "| transformer, masked |" in text and "of the core's peak of 1 TFLOP/s" in text
    assert "hours on 64 cores" in capsys.readouterr().out


def test_the_plan_of_a_long_run() -> None:
    assert planned_hours(100, 2, 10, 1, 0.5) == 20
    assert planned_hours(100, 2, 10, 8, 0.5) == 20  # eight times as many, each an eighth as fast
    assert planned_hours(100, 2, 10, 64, 1.0) == 20 / 64


def test_operations_are_those_of_the_layers() -> None:
    """A transformer by hand: the target once, the student three times, and the decoder."""
    shape = TransformerConfig(width=64, n_layers=2, n_heads=1, context=20)
    recipe = replace(Recipe.masked(), crop_frames=80, encoder=shape, masking=MaskConfig(1, 0.5, 5, 2, 1))
    layer = 2 * 12 * 64 * 64
    target = 20 * (2 * 256 * 64 + 2 * layer) + 2 * 2 * 2 * 20 * 20 * 64
    student = 20 * 2 * 256 * 64 * 2 + 10 * 2 * 3 * layer + 3 * 2 * 2 * 2 * 10 * 10 * 64
    assert operations_per_crop(recipe) == pytest.approx(target + student, rel=0.02)
