from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import byola_hear
from byola_hear.models.encoders.transformer import TransformerConfig, normalised
from byola_hear.models.zoo import add_to_zoo
from byola_hear.pretraining.cli import main
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.train import Trainer


@pytest.mark.parametrize("method", ["byol", "byol-transformer", "masked", "masked-convolutional"])
def test_exported_network_embeds_like_the_trained_one(
    tone_cache: LogMelCache, tiny_recipes: dict[str, Recipe], tmp_path: Path, method: str
) -> None:
    trainer = Trainer(tone_cache, tiny_recipes[method], tmp_path, Place(0, 1, torch.device("cpu")), "float32")
    trainer.train(minutes=0)
    model = export_model(tmp_path, "tones", "1")
    assert model.config.mean == tone_cache.mean
    assert model.config.std == tone_cache.std
    assert model.config.training["crops"] == 60
    assert model.config.training["hours"] == pytest.approx(tone_cache.info["hours"], abs=1e-4)
    assert [row["kind"] for row in model.config.training["sources"]] == ["tones"]
    log_mels = torch.randn(2, 1, 64, 40)
    torch.testing.assert_close(model.encoder(log_mels), trainer.online.get_submodule("encoder").eval()(log_mels))
    (tmp_path / "zoo").mkdir()
    add_to_zoo(model, tmp_path / "zoo")
    loaded = byola_hear.load_model(str(tmp_path / "zoo" / "byola-tones.safetensors"))
    audio = torch.rand(2, 16000) - 0.5
    exact, half = (byola_hear.get_scene_embeddings(audio, each) for each in (model, loaded))
    # The loaded weights are in half precision.
    assert (exact - half).norm() / exact.norm() < 1e-2
    assert model.config.pooling == "max+mean"
    # One clip, in short segments: the same.
    loaded.segment_seconds = 0.1
    torch.testing.assert_close(byola_hear.get_scene_embeddings(audio[:1], loaded), half[:1], rtol=1e-5, atol=1e-5)


def test_layers_their_combination_and_pooling_are_chosen_after_training(
    tone_cache: LogMelCache, tiny_recipes: dict[str, Recipe], tmp_path: Path
) -> None:
    trainer = Trainer(tone_cache, tiny_recipes["masked"], tmp_path, Place(0, 1, torch.device("cpu")), "float32")
    trainer.train(minutes=0)
    model = export_model(tmp_path, "x", "1", pooling="mean", taken=[2])
    assert isinstance(model.config.encoder, TransformerConfig)
    assert (model.config.pooling, model.config.encoder.layers) == ("mean", (2,))
    assert model.config.training["recipe"]["encoder"]["taken"] == []
    log_mels = torch.randn(1, 1, 64, 32)
    encoder: Any = trainer.online.encoder
    *_, last = encoder.outputs(encoder.tokens(log_mels[:, 0].transpose(1, 2)), torch.arange(8))
    torch.testing.assert_close(model.encoder(log_mels), normalised(last))
    with pytest.raises(ValueError, match="layers from 1 to 2, got \\[3\\]"):
        export_model(tmp_path, "x", "1", taken=[3])
    both = export_model(tmp_path, "x", "1", combine="concatenate")
    assert both.scene_embedding_size == 2 * model.scene_embedding_size
    torch.testing.assert_close(both.encoder(log_mels)[..., model.scene_embedding_size :], normalised(last))


def test_a_convolutional_network_has_no_layers_to_choose(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    Trainer(tone_cache, tiny_recipe, tmp_path, Place(0, 1, torch.device("cpu")), "float32").train(minutes=0)
    with pytest.raises(ValueError, match="only a transformer's layers can be chosen, got a convolutional network"):
        export_model(tmp_path, "x", "1", taken=[1])


def test_exported_facts_are_those_of_the_saved_state(
    tone_cache: LogMelCache, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    trainer = Trainer(tone_cache, tiny_recipe, tmp_path, Place(0, 1, torch.device("cpu")), "float32")
    trainer.train(minutes=0)
    log = tmp_path / "log.csv"
    of_the_state = log.read_text()
    # A run that is killed has logged steps after its last saved state.
    log.write_text(of_the_state + "20,120,9,0.25,0.5,0,1,9\n")
    assert export_model(tmp_path, "x", "1").config.training["crops"] == 60
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path), "-o", str(tmp_path / "zoo"), "--name", "x"])
    assert (tmp_path / "zoo" / "byola-x.log.csv").read_text() == of_the_state


def test_folder_without_a_run_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"state\.safetensors"):
        export_model(tmp_path, "x", "1")
    (tmp_path / "state.safetensors").write_text("nothing")
    with pytest.raises(ValueError, match="not a training state"):
        export_model(tmp_path, "x", "1")
