"""The zoo: its table is enforced, and its cards state what the checkpoints say."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import byola_hear
from byola_hear.models import zoo
from byola_hear.models.checkpoint import CheckpointError
from byola_hear.models.loading import load_named, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import ModelCard, add_to_zoo, describe_model, is_intact, list_models, read_hashes
from tests.models.small import CONFIG, small_model

#: Fingerprints of the networks that come with the package. Tables on disk carry them, so no version may change them.
FINGERPRINTS = {
    "both": "901af959d0ae13f6bf87820e5037635e4fb60bb5cf46638e4c9a5bb5bcba2c2f",
    "distilled": "39f53f98640c0f1db9b9ceff1fee746a4475891ea766fa5f3dd9bffb96d9fb5c",
    "distilled-small": "f3029fd106d66d7bde70df0fe60d17e72f9a31de7853296751f05740cad2fea9",
    "nonspeech": "40b5c0da319c883472e462a426930881fcb1577bdbee94fdf8ae488dd27a0971",
    "speech": "379a8231f239cf379922b9d0c6c003867037f83cf126329ad42acb2d79f7dc2d",
    "transformer-both": "2c4106505ff8d1e20c8eb8803bfcc08ca71efd39f18f22ea0e39f986cb6e1abf",
    "transformer-nonspeech": "5c987528f3931c2210e564f4e43342bf57f991dac7e00f509935bb73dde3030b",
    "transformer-speech": "3f4f531502bf9e67fbc5ee275f48dcd5e8faf695cf846828cd3ccaac82a8829b",
}


def test_names_and_table(folder: Path) -> None:
    assert list_models(folder) == ["both", "nonspeech", "speech"]
    table = json.loads((folder / "hashes.json").read_text())
    assert {name: (entry["file"], entry["version"]) for name, entry in table.items()} == {
        name: (f"byola-{name}.safetensors", "2.0") for name in list_models(folder)
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        ".hashes.json.lock",
        "byola-both.safetensors",
        "byola-nonspeech.safetensors",
        "byola-speech.safetensors",
        "hashes.json",
    ]


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
    parameters = sum(parameter.numel() for parameter in small_model("speech").parameters())
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
    assert {key: value for key, value in card.items() if key in expected} == expected
    assert describe_model("", folder)["name"] == "both"
    assert card["encoder"] == {"kind": "convolutional", **CONFIG.encoder.to_dict()}
    assert set(card) == set(ModelCard.__annotations__)
    assert json.loads(json.dumps(card)) == card


def test_unknown_names_are_refused_with_the_known_ones(folder: Path) -> None:
    for function in (resolve, load_named, describe_model, is_intact):
        with pytest.raises(ValueError, match="no model is called 'spech'; known names: both, nonspeech, speech"):
            function("spech", folder)


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
def test_names_that_cannot_be_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="expected a model name of letters"):
        add_to_zoo(small_model(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_models_that_are_added_at_the_same_time_are_all_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl")
    read = zoo.read_hashes

    def slowly(folder: Path) -> dict[str, dict[str, str]]:
        table = read(folder)
        time.sleep(0.05)
        return table

    monkeypatch.setattr(zoo, "read_hashes", slowly)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: add_to_zoo(small_model(name), tmp_path), "abcd"))
    assert list_models(tmp_path) == ["a", "b", "c", "d"]


def test_where_the_zoo_is(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the package if installed, next to it in a checkout."""
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
    """Every model in the table exists, is intact and has the facts that users look up."""
    if not list_models():
        pytest.skip("the zoo is empty: no network has been exported into weights/ yet")
    transformers = ["transformer-both", "transformer-nonspeech", "transformer-speech"]
    assert list_models() == ["both", "distilled", "distilled-small", "nonspeech", "speech", *transformers]
    for name in list_models():
        assert is_intact(name)
        loaded = byola_hear.load_model(name)
        assert (loaded.config.name, loaded.config.version) == (name, read_hashes()[name]["version"])
        assert loaded.fingerprint() == FINGERPRINTS[name]
        card = describe_model(name)
        size = {"distilled-small": 1024, **dict.fromkeys(transformers, 1152)}.get(name, 3072)
        assert card["scene_embedding_size"] == loaded.scene_embedding_size == size
        assert card["hours"] and card["licence"]


def test_networks_of_the_next_version_are_those_of_their_table() -> None:
    folder = zoo.zoo_folder() / "candidates"
    if not folder.is_dir():
        pytest.skip("only in a checkout")
    names = list_models(folder)
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [f"byola-{name}.safetensors" for name in names]
    for name in names:
        assert load_named(name, folder).config.version == "0.3.0" and name in list_models()
        assert describe_model(name, folder)["training"]["crops"] >= 800_000
