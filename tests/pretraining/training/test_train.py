from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.run_log import read_log
from byola_hear.pretraining.training.sampler import Sampler
from byola_hear.pretraining.training.state import read_header, save_state
from byola_hear.pretraining.training.train import Trainer, optimiser_for

HERE = Place(0, 1, torch.device("cpu"))


def trainer_in(folder: Path, cache: LogMelCache, recipe: Recipe, precision: str = "float32") -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(cache, recipe, folder, HERE, precision)


METHODS = pytest.mark.parametrize("method", ["byol", "byol-transformer", "masked", "masked-convolutional"])


@METHODS
def test_resumed_run_equals_an_uninterrupted_one(
    tone_cache: LogMelCache, tiny_recipes: dict[str, Recipe], tmp_path: Path, method: str
) -> None:
    tiny_recipe = tiny_recipes[method]
    whole = trainer_in(tmp_path / "whole", tone_cache, tiny_recipe)
    assert whole.train()
    first = trainer_in(tmp_path / "parts", tone_cache, tiny_recipe)
    assert not first.train(minutes=0)
    assert first.step == 10
    # A kill loses the steps after the last saved state. They are done again.
    first.train_step(*_started(Sampler(tone_cache, tiny_recipe, HERE), 10))
    torch.rand(3)
    second = trainer_in(tmp_path / "parts", tone_cache, tiny_recipe)
    assert second.step == 10
    assert second.train()
    for (name, expected), actual in zip(whole.online.state_dict().items(), second.online.state_dict().values()):
        assert torch.equal(expected, actual), name
    for expected, actual in zip(whole.target.state_dict().values(), second.target.state_dict().values()):
        assert torch.equal(expected, actual)
    losses = [[row["loss"] for row in read_log(tmp_path / name / "log.csv")] for name in ("whole", "parts")]
    assert losses[0] == losses[1]
    assert [row["step"] for row in read_log(tmp_path / "parts" / "log.csv")] == [10, 20]


def test_run_with_every_option_resumes_exactly(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    n_rows = len(tone_cache.lengths)
    kinds = ("effects", "ambience", *["music"] * (n_rows - 2))
    cache = replace(tone_cache, kinds=kinds, partners=torch.arange(n_rows).roll(1))
    options: dict[str, Any] = {
        "second_view": "note",
        "crop_candidates": 2,
        "ambience_mix": 0.5,
        "kind_weights": {"effects": 2.0},
    }
    recipe = replace(tiny_recipe, reference_batch=256, batch_norm_momentum=0.03, **options)
    whole = trainer_in(tmp_path / "whole", cache, recipe)
    norms: list[Any] = [network.get_submodule("projector.1") for network in (whole.online, whole.target)]
    assert [norm.momentum for norm in norms] == [0.03, 0.03]
    assert whole.train()
    assert not trainer_in(tmp_path / "parts", cache, recipe).train(minutes=0)
    second = trainer_in(tmp_path / "parts", cache, recipe)
    assert second.train()
    for (name, expected), actual in zip(whole.online.state_dict().items(), second.online.state_dict().values()):
        assert torch.equal(expected, actual), name
    decay = read_log(tmp_path / "parts" / "log.csv")[0]["ema_decay"]
    assert decay == pytest.approx(replace(recipe, reference_batch=0).ema_decay_at(9) ** (6 / 256), rel=1e-5)


def test_state_of_an_earlier_version_is_resumed(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path / "run", tone_cache, tiny_recipe)
    recipe = {
        name: value
        for name, value in trainer.identity["recipe"].items()
        if name not in ("crop_candidates", "second_view")
    }
    trainer.identity = {**trainer.identity, "recipe": recipe}
    trainer.save()
    assert trainer_in(tmp_path / "run", tone_cache, tiny_recipe).step == 0
    with pytest.raises(ValueError, match="second_view same, got clip"):
        trainer_in(tmp_path / "run", tone_cache, replace(tiny_recipe, second_view="clip"))


def _started(sampler: Sampler, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    sampler.start(step)
    return sampler.next(step)


@METHODS
def test_training_lowers_the_loss_without_collapse(
    tone_cache: LogMelCache, tiny_recipes: dict[str, Recipe], tmp_path: Path, method: str
) -> None:
    recipe = replace(tiny_recipes[method], steps=60, learning_rate=3e-3)
    trainer_in(tmp_path / "run", tone_cache, recipe).train()
    rows = read_log(tmp_path / "run" / "log.csv")
    # Masked prediction has a loss of 1 if nothing is predicted, and is below that by the first row.
    begin = rows[0]["loss"] if method.startswith("byol") else 1.0
    assert rows[-1]["loss"] < 0.9 * begin
    assert rows[-1]["spread"] > 0.2
    assert rows[-1]["crops"] == 60 * 6


def test_other_recipe_or_manifest_is_not_resumed(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    trainer_in(tmp_path / "run", tone_cache, replace(tiny_recipe, steps=1)).train()
    with pytest.raises(ValueError, match="another recipe .steps 1, got 20, fader_gain 1.0, got 0.5.;"):
        trainer_in(tmp_path / "run", tone_cache, replace(tiny_recipe, views=ViewConfig(memory_size=15, fader_gain=0.5)))
    other = replace(tone_cache, info={**tone_cache.info, "manifest_sha256": "other"})
    with pytest.raises(ValueError, match="another manifest"):
        trainer_in(tmp_path / "run", other, replace(tiny_recipe, steps=1))


@pytest.mark.parametrize(("fact", "moved", "refused"), [("rows", 1, True), ("mean", 0.1, True), ("std", 0.001, False)])
def test_run_continues_with_its_own_audio_only(
    fact: str, moved: float, refused: bool, tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    trainer_in(tmp_path / "run", tone_cache, tiny_recipe).train(minutes=0)
    # A cache that was deleted and built anew, after files of the manifest had changed, or on another computer.
    anew = replace(tone_cache, info={**tone_cache.info, fact: tone_cache.info[fact] + moved})
    with pytest.raises(ValueError, match="holds a run with other audio") if refused else nullcontext():
        trainer_in(tmp_path / "run", anew, tiny_recipe)


def test_diverged_run_stops_and_keeps_its_last_state(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    trainer = trainer_in(tmp_path / "run", tone_cache, tiny_recipe)
    trainer.train(minutes=0)
    with torch.no_grad():
        trainer.online.get_parameter("projector.0.weight").fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="learning rate"):
        trainer.train()
    assert trainer_in(tmp_path / "run", tone_cache, tiny_recipe).step == 10


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_state_on_a_full_disk_is_one_error_and_the_old_one_stays(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    import resource

    trainer = trainer_in(tmp_path, tone_cache, tiny_recipe)
    trainer.save()
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="can't write the state"):
            trainer.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == before
    assert read_header(tmp_path)["step"] == 0


def test_state_without_crops_counts_those_of_one_device(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    trainer_in(tmp_path, tone_cache, tiny_recipe).train(minutes=0)
    header = read_header(tmp_path)
    del header["crops"]
    trainer = trainer_in(tmp_path, tone_cache, tiny_recipe)
    save_state(tmp_path, trainer.online, trainer.target, trainer.optimiser, header)
    assert trainer_in(tmp_path, tone_cache, tiny_recipe).crops == 60


def test_seed_decides_the_initial_weights(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(1)
        trainer = trainer_in(tmp_path / name, tone_cache, replace(tiny_recipe, seed=seed))
        weights.append(trainer.online.get_parameter("encoder.features.0.weight"))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_weight_decay_spares_biases_and_norms(tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path / "run", tone_cache, tiny_recipe)
    decayed, plain = optimiser_for(trainer.online, replace(tiny_recipe, weight_decay=0.1)).param_groups
    assert decayed["weight_decay"] == 0.1
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert plain["weight_decay"] == 0
    assert all(parameter.ndim == 1 for parameter in plain["params"])


def test_a_run_keeps_its_measured_precision(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer_in(tmp_path / "run", tone_cache, tiny_recipe, "bfloat16").save()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert trainer_in(tmp_path / "new", tone_cache, tiny_recipe, "auto").autocast_dtype is None
    assert trainer_in(tmp_path / "run", tone_cache, tiny_recipe, "auto").autocast_dtype is torch.bfloat16
    assert trainer_in(tmp_path / "run", tone_cache, tiny_recipe, "float32").autocast_dtype is None
