"""Models by name, by path and by default."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from byola_hear.models.checkpoint import CheckpointError, save_checkpoint
from byola_hear.models.loading import load_named, resolve
from byola_hear.models.zoo import is_intact, list_models
from tests.models.small import small_model


def test_loading_by_name_path_and_default(folder: Path) -> None:
    for name in list_models(folder):
        expected = small_model(name).encoder.state_dict()["fc.3.bias"]
        for given in (name, str(folder / f"byola-{name}.safetensors"), folder / f"byola-{name}.safetensors"):
            loaded = resolve(given, folder)
            assert loaded.config.name == name and not loaded.training
            assert torch.equal(loaded.encoder.state_dict()["fc.3.bias"], expected)
    assert resolve("", folder).config.name == resolve(folder=folder).config.name == "both"
    assert load_named("speech", folder).config.name == "speech"


def test_texts_that_look_like_paths_are_paths(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("nowhere/model", "nowhere.safetensors"):
        with pytest.raises(FileNotFoundError, match="no such checkpoint: nowhere"):
            resolve(path, folder)
    monkeypatch.chdir(tmp_path)
    save_checkpoint("mine", small_model("mine"))
    assert resolve("mine", folder).config.name == "mine"
    # A name wins over a file.
    save_checkpoint("speech", small_model("mine"))
    assert resolve("speech", folder).config.name == "speech"
    assert resolve("./speech", folder).config.name == "mine"


def test_other_and_missing_files_are_refused(folder: Path) -> None:
    path = folder / "byola-speech.safetensors"
    assert is_intact("speech", folder)
    save_checkpoint(path, small_model("another"))
    assert not is_intact("speech", folder)
    with pytest.raises(CheckpointError, match="expected SHA-256"):
        resolve("speech", folder)
    path.unlink()
    assert not is_intact("speech", folder)
    with pytest.raises(FileNotFoundError, match="byola-speech"):
        resolve("speech", folder)
    assert resolve("both", folder).config.name == "both"
