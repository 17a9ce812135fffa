"""Rows: what each is called, how heareval is told of it, and when it is another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmark.baselines import baseline, logmel
from benchmark.models import extractors, loading
from benchmark.models.heareval_rows import ModelRow, model_row, model_rows
from benchmark.models.loading import row_name
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel


def test_rows_know_how_heareval_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (logmel,) = model_rows(["logmel"])
    assert (logmel.module, logmel.options(), logmel.missing) == ("benchmark.baselines.logmel", [], "")
    assert logmel.identity and logmel.sizes[0] == 128
    named = ModelRow("untrained=1", "benchmark.baselines.untrained", "1", "x", 16000, (1, 1), "")
    assert named.options() == ["--model-options", '{"model_file_path": "1"}']
    (tmp_path / "both").mkdir()
    monkeypatch.chdir(tmp_path)
    assert ModelRow("both", "byola_hear", "both", "x", 16000, (1, 1), "").options()[0] == "--model-options"
    assert ModelRow("mine", "byola_hear", str(tmp_path / "mine"), "x", 16000, (1, 1), "").options()[0] == "--model"


def small_checkpoint(path: Path, seed: int = 0) -> Path:
    config = ModelConfig("mine", "1", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -5.0, 4.0)
    torch.manual_seed(seed)
    path.parent.mkdir(exist_ok=True)
    save_checkpoint(path, ByolaModel(config))
    return path


@pytest.mark.parametrize("error", [ImportError("no symbol"), ValueError("no valid\nFlatbuffer"), OSError(5, "damaged")])
def test_a_baseline_that_is_broken_here_costs_its_own_row(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def load_model(weights: str) -> None:
        raise error

    broken = SimpleNamespace(load_model=load_model)
    monkeypatch.setattr(loading, "baseline", lambda name: broken if name == "yamnet" else baseline(name))
    rows = model_rows(["logmel", "yamnet"])
    assert not rows[0].missing and rows[1].missing.startswith("can't be loaded as it is installed here: ")
    assert "\n" not in rows[1].missing and str(error).split()[-1] in rows[1].missing
    with pytest.raises(ValueError, match="can't be loaded"):
        model_row("yamnet")
    with pytest.raises(type(error)):  # these weights, and no others, were asked for
        model_rows(["logmel", "yamnet=mine.tflite"])


def test_an_unknown_name_lists_networks_and_baselines() -> None:
    with pytest.raises(ValueError, match="'nope'; known names: both, .*logmel.* all; or give a checkpoint's path"):
        model_rows(["nope"])
    with pytest.raises(ValueError, match="expected one model, got 'all'"):
        model_row("all")


def test_networks_by_path_and_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = load_checkpoint(small_checkpoint(tmp_path / "mymodel"))
    monkeypatch.setattr(ByolaModel, "from_pretrained", lambda name, dimensions=None: model)
    here, hub = model_rows(["mymodel", "hf://org/name"])
    assert (here.name, here.options()) == ("mymodel", ["--model", str(tmp_path / "mymodel")])
    assert (hub.name, hub.options()) == ("name", ["--model-options", '{"model_file_path": "hf://org/name"}'])
    assert here.identity == hub.identity


def test_rows_of_like_named_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row_name("wav2vec2", "org/m-1.0") == "wav2vec2=m-1.0"
    paths = [str(small_checkpoint(tmp_path / folder / "final.pth")) for folder in "ab"]
    assert [each.name for each in model_rows(paths)] == ["final", "b-final"]
    another = SimpleNamespace(load_model=lambda weights: logmel.load_model())
    monkeypatch.setattr(loading, "baseline", lambda name: another)
    rows = model_rows([f"wav2vec2={path}" for path in paths])
    assert [each.name for each in rows] == ["wav2vec2=final", "wav2vec2=b-final"]
    assert rows[0].note.startswith("weights final.pth: log-mel")
    with pytest.raises(ValueError, match="expected each model once"):
        model_rows([paths[0], paths[0]])


def test_a_row_is_another_where_its_embeddings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {row.name: row.identity for row in model_rows(["untrained", "logmel"])}
    assert before["untrained"].startswith("byola_hear-v") and before["logmel"].startswith("logmel-v")
    monkeypatch.setattr(extractors, "EMBEDDING_VERSION", 1000)
    monkeypatch.setattr(logmel.LogMelStatistics, "embedding_version", 2000)
    after = {row.name: row.identity for row in model_rows(["untrained", "logmel"])}
    assert after["untrained"].startswith("byola_hear-v1000-") and after["logmel"].startswith("logmel-v2000-")
    assert all(after[name].split("-")[-1] == identity.split("-")[-1] for name, identity in before.items())
