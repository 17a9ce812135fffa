"""Models by name: the table of hashes is believed and enforced; names, paths and the default are told apart."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import byola_hear
from byola_hear.models import zoo
from byola_hear.models.checkpoint import CheckpointError, save_checkpoint
from byola_hear.models.config import ModelConfig, training_hours
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_named, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo, describe_model, is_intact, list_models, read_hashes

CONFIG = ModelConfig(
    name="both",
    version="2.0",
    frontend=FrontendConfig(n_mels=16),
    encoder=EncoderConfig(n_mels=16, channels=4, hidden_size=10),
    mean=-7.0,
    std=4.0,
    training={"hours": 12.5, "crops": 1000},
)


def model(name: str) -> ByolaModel:
    torch.manual_seed(sum(name.encode()))
    return ByolaModel(replace(CONFIG, name=name)).eval()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    for name in ("speech", "both", "nonspeech"):
        add_to_zoo(model(name), folder)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A zoo of three models that a test may damage."""
    return Path(shutil.copytree(built, tmp_path / "zoo"))


def test_names_and_table(folder: Path) -> None:
    assert list_models(folder) == ["both", "nonspeech", "speech"]
    table = json.loads((folder / "hashes.json").read_text())
    assert {name: (entry["file"], entry["version"]) for name, entry in table.items()} == {
        name: (f"byola-{name}.safetensors", "2.0") for name in list_models(folder)
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "byola-both.safetensors",
        "byola-nonspeech.safetensors",
        "byola-speech.safetensors",
        "hashes.json",
    ]


def test_loading_by_name_path_and_default(folder: Path) -> None:
    for name in list_models(folder):
        expected = model(name).encoder.state_dict()["fc.3.bias"]
        for given in (name, str(folder / f"byola-{name}.safetensors"), folder / f"byola-{name}.safetensors"):
            loaded = resolve(given, folder)
            assert loaded.config.name == name and not loaded.training
            assert torch.equal(loaded.encoder.state_dict()["fc.3.bias"], expected)
    assert resolve("", folder).config.name == resolve(folder=folder).config.name == "both"
    assert load_named("speech", folder).config.name == "speech"


def test_a_new_version_replaces_the_old(folder: Path) -> None:
    before = read_hashes(folder)
    add_to_zoo(ByolaModel(replace(CONFIG, name="speech", version="2.1")), folder)
    after = read_hashes(folder)
    assert after["speech"]["version"] == "2.1" and after["speech"]["sha256"] != before["speech"]["sha256"]
    assert {name: after[name] for name in ("both", "nonspeech")} == {
        name: before[name] for name in ("both", "nonspeech")
    }
    assert resolve("speech", folder).config.version == "2.1"


def test_the_card(folder: Path) -> None:
    card = describe_model("speech", folder)
    parameters = sum(parameter.numel() for parameter in model("speech").parameters())
    expected = {
        "name": "speech",
        "version": "2.0",
        "licence": "Apache-2.0",
        "sample_rate": 16000,
        "frame_ms": 40.0,
        "window_ms": 360.0,
        "scene_embedding_size": 26,
        "timestamp_embedding_size": 26,
        "parameters": parameters,
        "hours": 12.5,
        "training": {"hours": 12.5, "crops": 1000},
        "mean": -7.0,
        "file": str(folder / "byola-speech.safetensors"),
        "bytes": (folder / "byola-speech.safetensors").stat().st_size,
        "sha256": read_hashes(folder)["speech"]["sha256"],
    }
    assert {key: card[key] for key in expected} == expected
    assert describe_model("", folder)["name"] == "both"
    json.dumps(card)


@pytest.mark.parametrize(
    ("training", "hours"),
    [
        ({}, None),
        ({"hours": 3}, 3.0),
        ({"hours": {"a": 1.5, "b": 2}}, 3.5),
        ({"hours": {}}, None),
    ],
)
def test_hours(training: dict[str, object], hours: float | None) -> None:
    assert training_hours(training) == hours


def test_unknown_names_are_answered_with_the_known_ones(folder: Path) -> None:
    for function in (resolve, load_named, describe_model, is_intact):
        with pytest.raises(ValueError, match="no model is called 'spech'; known names: both, nonspeech, speech"):
            function("spech", folder)


def test_what_looks_like_a_path_is_one(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("nowhere/model", "nowhere.safetensors"):
        with pytest.raises(FileNotFoundError, match="no such checkpoint: nowhere"):
            resolve(path, folder)
    monkeypatch.chdir(tmp_path)
    save_checkpoint("mine", model("mine"))
    assert resolve("mine", folder).config.name == "mine"
    # A name wins over a file.
    save_checkpoint("speech", model("mine"))
    assert resolve("speech", folder).config.name == "speech"
    assert resolve("./speech", folder).config.name == "mine"


def test_damaged_and_exchanged_files_are_refused(folder: Path) -> None:
    path = folder / "byola-speech.safetensors"
    assert is_intact("speech", folder)
    save_checkpoint(path, model("another"))
    assert not is_intact("speech", folder)
    with pytest.raises(CheckpointError, match="expected SHA-256"):
        resolve("speech", folder)
    path.unlink()
    assert not is_intact("speech", folder)
    with pytest.raises(FileNotFoundError, match="byola-speech"):
        resolve("speech", folder)
    assert resolve("both", folder).config.name == "both"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"a": {}}',
        '{"a": {"file": "../a.safetensors", "sha256": "%s", "version": "1"}}' % ("0" * 64),
        '{"a": {"file": "a.safetensors", "sha256": "short", "version": "1"}}',
        '{"a": {"file": "a.safetensors", "sha256": "%s", "version": 1}}' % ("0" * 64),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "hashes.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"hashes\.json: damaged table"):
        list_models(tmp_path)


def test_an_empty_zoo(tmp_path: Path) -> None:
    assert list_models(tmp_path) == []
    with pytest.raises(ValueError, match=r"no model is called 'both'; known names: none, .*hashes\.json is missing"):
        resolve("", tmp_path)


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "é"])
def test_names_that_are_no_file_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="expected a model name of letters"):
        add_to_zoo(model(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_where_the_zoo_is(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the package once installed, beside it in a checkout."""
    package = tmp_path / "site" / "byola_hear"
    package.mkdir(parents=True)
    monkeypatch.setattr(zoo, "__file__", str(package / "models" / "zoo.py"))
    assert zoo.zoo_folder() == package / "weights"
    shutil.copytree(folder, tmp_path / "site" / "weights")
    assert zoo.zoo_folder() == tmp_path / "site" / "weights"
    shutil.copytree(folder, package / "weights")
    assert zoo.zoo_folder() == package / "weights"
    assert byola_hear.list_models() == ["both", "nonspeech", "speech"]


def test_the_packages_own_models() -> None:
    """What a newcomer gets: every model in the table is there, intact, and says what it is."""
    if not list_models():
        pytest.skip("the zoo is empty: no network has been exported into weights/ yet")
    assert list_models() == ["both", "nonspeech", "speech"]
    for name in list_models():
        assert is_intact(name)
        loaded = byola_hear.load_model(name)
        assert (loaded.config.name, loaded.config.version) == (name, read_hashes()[name]["version"])
        card = describe_model(name)
        assert card["scene_embedding_size"] == loaded.scene_embedding_size == 3072
        assert card["hours"] and card["licence"]
