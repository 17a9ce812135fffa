"""Runs that begin with a network: its weights and statistics, a target that is a copy, and an encoder that waits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.hub_files import model_card
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.sampler import Sampler
from byola_hear.pretraining.training.start import Start
from byola_hear.pretraining.training.state import read_header
from byola_hear.pretraining.training.train import Trainer
from tests.pretraining.running import QUICK, run

HERE = Place(0, 1, torch.device("cpu"))


def network(recipe: Recipe, seed: int = 7, **changes: Any) -> ByolaModel:
    """A network that was trained before, as it were: with statistics of its own."""
    torch.manual_seed(seed)
    encoder = build_encoder(recipe.encoder)
    encoder.get_buffer("features.1.running_mean").fill_(0.25)
    config = ModelConfig(
        "before", "3", FrontendConfig(), recipe.encoder, mean=-5.0, std=3.0, training={"hours": 2.5, "recipe": {}}
    )
    return ByolaModel(replace(config, **changes), encoder).eval()


def trainer(folder: Path, cache: LogMelCache, recipe: Recipe, start: Start | None) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(cache, recipe, folder, HERE, "float32", start)


def test_both_networks_begin_with_its_weights_and_statistics(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    start = Start(network(tiny_recipe))
    begun = trainer(tmp_path, tone_cache, tiny_recipe, start)
    for part in (begun.online, begun.target):
        for name, values in start.model.encoder.state_dict().items():
            assert torch.equal(part.get_submodule("encoder").state_dict()[name], values), name
    random = trainer(tmp_path / "random", tone_cache, tiny_recipe, None)
    for name, values in random.online.get_submodule("projector").state_dict().items():
        assert torch.equal(begun.online.get_submodule("projector").state_dict()[name], values), name
    crops = Sampler(begun.cache, tiny_recipe, HERE).crops(0)
    raw = Sampler(tone_cache, tiny_recipe, HERE).crops(0) * tone_cache.std + tone_cache.mean
    torch.testing.assert_close(crops * 3 - 5, raw, atol=1e-3, rtol=1e-4)


def test_the_encoder_waits_until_the_projector_has_warmed_up(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    start = Start(network(tiny_recipe))
    begun = trainer(tmp_path, tone_cache, tiny_recipe, start)
    sampler = Sampler(begun.cache, tiny_recipe, HERE)
    sampler.start(0)
    weight, of_projector = (begun.online.get_parameter(f"{part}.0.weight") for part in ("encoder.fc", "projector"))
    before, projector = weight.detach().clone(), of_projector.detach().clone()
    for step in range(tiny_recipe.warm_up_steps):
        begun.train_step(*sampler.next(step))
        assert torch.equal(weight, before)
    assert not torch.equal(of_projector, projector)
    begun.train_step(*sampler.next(tiny_recipe.warm_up_steps))
    assert not torch.equal(weight, before)
    assert (weight - before).abs().max() < 2 * tiny_recipe.learning_rate / tiny_recipe.warm_up_steps
    rates = [begun.rate_at(step) / tiny_recipe.learning_rate for step in range(8)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0] and rates[4] == 0.25 and 0.9 < rates[7] <= 1
    assert trainer(tmp_path / "random", tone_cache, tiny_recipe, None).rate_at(4) == tiny_recipe.learning_rate


def test_a_run_that_would_end_before_the_encoder_is_trained_is_refused(tiny_recipe: Recipe) -> None:
    start = Start(network(tiny_recipe))
    shortest = replace(tiny_recipe, steps=tiny_recipe.warm_up_steps + 1)
    assert start.continued(shortest, {}) == shortest
    message = "expected more steps than the 4 of warm-up, in which the weights of before stay as they are, got 4"
    with pytest.raises(ValueError, match=message):
        start.continued(replace(tiny_recipe, steps=4), {})


def test_a_resumed_run_equals_an_uninterrupted_one_and_knows_its_start(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    start = Start(network(tiny_recipe))
    whole = trainer(tmp_path / "whole", tone_cache, tiny_recipe, start)
    assert whole.train()
    assert not trainer(tmp_path / "parts", tone_cache, tiny_recipe, start).train(minutes=0)
    second = trainer(tmp_path / "parts", tone_cache, tiny_recipe, start)
    assert second.step == 10 and second.train()
    for (name, expected), actual in zip(whole.online.state_dict().items(), second.online.state_dict().values()):
        assert torch.equal(expected, actual), name
    facts = {"model": "before 3", "fingerprint": start.model.fingerprint(), "hours": 2.5}
    assert read_header(tmp_path / "parts")["start"] == facts
    for other, began, asked in (
        (None, "before 3", "random weights"),
        (Start(network(tiny_recipe, seed=8, name="other")), "before 3", "other 3"),
    ):
        with pytest.raises(ValueError, match=f"holds a run that began with {began}, not {asked}"):
            trainer(tmp_path / "parts", tone_cache, tiny_recipe, other)
    model = export_model(tmp_path / "parts", "after", "1")
    assert (model.config.mean, model.config.std, model.config.frontend) == (-5.0, 3.0, start.model.config.frontend)
    assert model.config.training["began_with"] == facts
    assert model.config.training["hours"] == pytest.approx(tone_cache.info["hours"], abs=1e-4)
    assert "| began with the weights of | before 3 |" in model_card(model, "0" * 64)


def test_changed_audio_is_noticed_although_the_statistics_are_those_of_the_network(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    start = Start(network(tiny_recipe))
    trainer(tmp_path, tone_cache, tiny_recipe, start).save()
    # `distil` gives the audio with the statistics of the network.
    assert trainer(tmp_path, start.normalised_as_before(tone_cache), tiny_recipe, start).step == 0
    mean = tone_cache.mean + 1
    louder = replace(tone_cache, mean=mean, info={**tone_cache.info, "mean": mean})
    with pytest.raises(
        ValueError, match=f"holds a run with other audio .* mean {tone_cache.mean:.2f}.* mean {mean:.2f}"
    ):
        trainer(tmp_path, louder, tiny_recipe, start)


def test_the_command(
    tone_manifest: Path,
    tone_cache_folder: Path,
    tiny_recipe: Recipe,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert isinstance(tiny_recipe.encoder, EncoderConfig)
    recipe = replace(tiny_recipe, encoder=replace(tiny_recipe.encoder, hidden_size=16))
    save_checkpoint(tmp_path / "before.safetensors", network(recipe), torch.float32)
    shape = QUICK.index("--channels")
    options = [*QUICK[:shape], *QUICK[shape + 4 :], "--steps", "4", "--cache", tone_cache_folder]
    begin = ["--from", tmp_path / "before.safetensors"]
    assert run("train", tone_manifest, "-o", tmp_path / "run", *begin, *options) == 0
    assert read_header(tmp_path / "run")["start"]["model"] == "before 3"
    assert read_header(tmp_path / "run")["recipe"]["encoder"]["hidden_size"] == 16
    assert run("export", tmp_path / "run", "-o", tmp_path / "zoo", "--name", "after") == 0
    capsys.readouterr()
    # The same shape may be asked for, another one not.
    same = ["--hidden-size", "16", "--channels", "4", "--steps", "4"]
    assert run("train", tone_manifest, "-o", tmp_path / "run", *begin, *options, *same) == 0
    for wrong, message in (
        (
            [*begin, "--hidden-size", "32"],
            "error: before has another shape than the options ask for: expected hidden_size 16, got 32",
        ),
        (["--from", "nobody"], "error: no model is called 'nobody'"),
        (["--from", tmp_path / "nowhere.safetensors"], "error: no such checkpoint: "),
    ):
        assert run("train", tone_manifest, "-o", tmp_path / "other", *wrong, *options) == 2
        error = capsys.readouterr().err
        assert error.startswith(message) and error.count("\n") == 1
        assert not (tmp_path / "other").exists()
    other = replace(FrontendConfig(), f_min=50.0)
    save_checkpoint(tmp_path / "other.safetensors", network(recipe, frontend=other))
    assert run("train", tone_manifest, "-o", tmp_path / "b", "--from", tmp_path / "other.safetensors", *options) == 2
    assert "another manifest or front end" in capsys.readouterr().err
