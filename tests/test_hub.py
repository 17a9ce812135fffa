"""The Hub and folders of its layout: what is written is read back, and errors name the repository."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from byola_hear.hub import HubError, from_pretrained, push_to_hub, save_pretrained
from byola_hear.models.checkpoint import CheckpointError
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.hub_files import CARD, CHECKPOINT, CONFIG
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel

SOURCES = [
    {"source": "a | b", "kind": "speech", "licence": "CC0-1.0", "rows": 3, "hours": 1.5},
    {"source": "c", "kind": "music", "licence": "MIT", "rows": 1, "hours": 0.5},
]


def model_of(**changes: Any) -> ByolaModel:
    torch.manual_seed(0)
    values: dict[str, Any] = {
        "name": "test",
        "version": "1.0",
        "frontend": FrontendConfig(),
        "encoder": EncoderConfig(channels=4, hidden_size=8),
        "mean": -8.0,
        "std": 4.5,
        "training": {"hours": 2.0, "sources": SOURCES},
    }
    return ByolaModel(ModelConfig(**{**values, **changes})).eval()


def same(one: ByolaModel, other: ByolaModel) -> bool:
    audio = torch.rand(2, 4000, generator=torch.Generator().manual_seed(0)) - 0.5
    return one.config == other.config and torch.equal(one.scene_embeddings(audio), other.scene_embeddings(audio))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A Hub of one folder, which keeps every commit of every repository."""
    hub_folder = tmp_path / "hub"
    asked: list[dict[str, Any]] = []

    class HfApi:
        def __init__(self, token: str | None = None) -> None:
            if token == "wrong":
                raise PermissionError("401 Client Error: Invalid username or password.")

        def create_repo(self, repo_id: str, private: bool | None = None, exist_ok: bool = False) -> None:
            (hub_folder / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            asked.append({"created": repo_id, "private": private})

        def upload_folder(
            self, repo_id: str, folder_path: str, revision: str | None, commit_message: str
        ) -> SimpleNamespace:
            commit = f"{len(list((hub_folder / repo_id).iterdir())):040x}"
            for name in (commit, revision or "main"):
                shutil.copytree(folder_path, hub_folder / repo_id / name, dirs_exist_ok=True)
            asked.append({"message": commit_message})
            return SimpleNamespace(oid=commit)

    def hf_hub_download(repo_id: str, filename: str, revision: str | None, **options: Any) -> str:
        asked.append({"downloaded": repo_id, "revision": revision, **options})
        path = hub_folder / repo_id / (revision or "main") / filename
        if not path.is_file():
            raise KeyError("404 Client Error.\n\nEntry Not Found for url")
        return str(path)

    module = SimpleNamespace(HfApi=HfApi, hf_hub_download=hf_hub_download, asked=asked, folder=hub_folder)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return module


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)


def test_a_folder_needs_no_library(tmp_path: Path, no_library: None) -> None:
    model = model_of()
    sha256 = save_pretrained(model, tmp_path / "new" / "folder", dtype=torch.float32)
    assert same(from_pretrained(tmp_path / "new" / "folder", sha256=sha256), model)
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [CARD, CONFIG, CHECKPOINT]


def test_a_model_read_and_written_again_is_the_same_file(tmp_path: Path) -> None:
    first = save_pretrained(model_of(), tmp_path / "one")
    assert save_pretrained(from_pretrained(tmp_path / "one"), tmp_path / "two") == first


def test_the_readme_of_a_project_stays(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# My project\n")
    with pytest.raises(FileExistsError, match=r"README\.md exists and is no card of a model, and would be lost"):
        save_pretrained(model_of(), tmp_path)
    assert list(tmp_path.iterdir()) == [readme] and readme.read_text() == "# My project\n"
    # A card is replaced, such as that of a new repository.
    readme.write_text("---\nlicense: mit\n---\n")
    save_pretrained(model_of(), tmp_path)
    assert "byola-hear" in readme.read_text()


def test_the_checkpoint_is_read_and_not_the_configuration_file(tmp_path: Path) -> None:
    model = model_of()
    save_pretrained(model, tmp_path)
    assert ModelConfig.from_dict(json.loads((tmp_path / CONFIG).read_text())) == model.config
    (tmp_path / CONFIG).write_text("{}")
    assert from_pretrained(tmp_path).config == model.config


def test_another_hash_is_refused(tmp_path: Path) -> None:
    save_pretrained(model_of(), tmp_path)
    with pytest.raises(CheckpointError, match="expected SHA-256 0000"):
        from_pretrained(tmp_path, sha256="0" * 64)


def test_push_and_pull(library: SimpleNamespace) -> None:
    first, second = model_of(), model_of(version="2.0", mean=-7.0)
    old = push_to_hub(first, "someone/sounds", private=True, dtype=torch.float32)
    push_to_hub(second, "someone/sounds", dtype=torch.float32, message="better")
    assert same(from_pretrained("someone/sounds"), second)
    assert same(from_pretrained("someone/sounds", revision=old), first)
    assert same(from_pretrained(f"someone/sounds@{old}"), first)
    assert library.asked[:2] == [{"created": "someone/sounds", "private": True}, {"message": "test 1.0"}]
    assert {"message": "better"} in library.asked


def test_options_reach_the_library(library: SimpleNamespace) -> None:
    push_to_hub(model_of(), "someone/sounds", revision="trial")
    from_pretrained("someone/sounds", revision="trial", token="secret", local_files_only=True)
    expected = {"downloaded": "someone/sounds", "revision": "trial", "token": "secret", "local_files_only": True}
    assert library.asked[-1] == expected


def test_a_folder_wins_over_a_repository(
    library: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_to_hub(model_of(name="there"), "someone/sounds")
    monkeypatch.chdir(tmp_path)
    save_pretrained(model_of(name="here"), "someone/sounds")
    assert from_pretrained("someone/sounds").config.name == "here"


def test_errors_name_the_repository(library: SimpleNamespace) -> None:
    with pytest.raises(HubError, match=r"cannot download model.safetensors of no/such at revision v1: .*404") as caught:
        from_pretrained("no/such@v1")
    assert "\n" not in str(caught.value)
    push_to_hub(model_of(), "someone/sounds")
    with pytest.raises(ValueError, match="expected one revision, got 'a' in 'someone/sounds@a' and 'b'"):
        from_pretrained("someone/sounds@a", revision="b")


@pytest.mark.parametrize("source", ["nothing", "a/b/c", "", "../sounds", "a b/c"])
def test_neither_folder_nor_repository(library: SimpleNamespace, source: str) -> None:
    with pytest.raises(ValueError, match="expected a folder that exists or a repository organisation/name"):
        from_pretrained(source)
    with pytest.raises(ValueError, match="expected a repository organisation/name"):
        push_to_hub(model_of(), source)
    assert not library.asked


def test_a_file_is_no_repository(library: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_pretrained(model_of(), "folder")
    with pytest.raises(ValueError, match=f"got the file folder/{CHECKPOINT}; load_model takes files"):
        from_pretrained(f"folder/{CHECKPOINT}")
    assert not library.asked


def test_a_folder_has_no_revisions(tmp_path: Path) -> None:
    save_pretrained(model_of(), tmp_path)
    with pytest.raises(ValueError, match="expected no revision for the folder"):
        from_pretrained(tmp_path, revision="v1")
    with pytest.raises(FileNotFoundError):
        from_pretrained(tmp_path.parent)


def test_missing_library_is_named(no_library: None) -> None:
    for ask in (lambda: from_pretrained("someone/sounds"), lambda: push_to_hub(model_of(), "someone/sounds")):
        with pytest.raises(HubError, match=r"needs the huggingface_hub package: pip install 'byola-hear\[hub\]'"):
            ask()


def test_the_library_accepts_the_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real library accepts the arguments. Nothing is sent."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    import inspect

    inspect.signature(huggingface_hub.hf_hub_download).bind(
        "someone/sounds", CHECKPOINT, revision=None, token=None, local_files_only=True
    )
    api = huggingface_hub.HfApi(token="none")
    inspect.signature(api.create_repo).bind("someone/sounds", private=None, exist_ok=True)
    inspect.signature(api.upload_folder).bind(
        repo_id="someone/sounds", folder_path=str(tmp_path), revision=None, commit_message="test"
    )
    with pytest.raises(HubError, match="cannot download model.safetensors of someone/sounds"):
        from_pretrained("someone/sounds", local_files_only=True)


def test_card(tmp_path: Path) -> None:
    sha256 = save_pretrained(model_of(), tmp_path)
    front, body = (tmp_path / CARD).read_text(encoding="utf-8").removeprefix("---\n").split("---\n", 1)
    said = dict(line.split(": ", 1) for line in front.splitlines())
    assert {key: json.loads(value) for key, value in said.items()} == {
        "license": "apache-2.0",
        "library_name": "byola-hear",
        "pipeline_tag": "feature-extraction",
        "tags": ["audio", "audio-embeddings", "self-supervised", "byol-a", "hear"],
    }
    assert sha256 in body
    assert "| trained on | 2.0 hours |" in body
    assert r"| a \| b | speech | CC0-1.0 | 3 | 1.500 |" in body
    assert "72 dimensions for a clip, or every 40 ms" in body


def test_card_of_an_unusual_licence_and_with_another_text(tmp_path: Path) -> None:
    save_pretrained(model_of(licence="LicenseRef-Our Own: v1"), tmp_path, card="# Ours\n")
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert 'license: "other"\nlicense_name: "licenseref-our-own-v1"\n' in card
    assert card.endswith("---\n\n# Ours\n")


def test_card_without_facts_on_training(tmp_path: Path) -> None:
    save_pretrained(model_of(training={}), tmp_path)
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "trained on" not in card and "## Training" not in card


def test_mixin(tmp_path: Path, library: SimpleNamespace) -> None:
    model = model_of()
    model.save_pretrained(tmp_path / "folder", dtype=torch.float32)
    assert same(ByolaModel.from_pretrained(tmp_path / "folder"), model)
    model.push_to_hub("someone/sounds", dtype=torch.float32)
    assert same(ByolaModel.from_pretrained("someone/sounds"), model)
    assert same(resolve("hf://someone/sounds"), model)
