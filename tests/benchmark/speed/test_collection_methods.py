"""Methods from files to vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import byola_hear
from benchmark.speed.children import ChildFailed
from benchmark.speed.collection_clips import recordings, write_clips
from benchmark.speed.collection_methods import (
    METHODS,
    TITLES,
    MethodSettings,
    in_a_process,
    network,
    package,
    plain,
    run,
    yamnet,
)
from benchmark.speed.race import NotAvailable
from byola_hear.audio.reading import read_audio


@pytest.fixture(scope="module")
def files(clips_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    source = recordings(clips_folder, 22050, 2)
    return [str(file) for file in write_clips(tmp_path_factory.mktemp("clips"), source, 22050, 2, 0.7)]


def settings(files: list[str], **changes: Any) -> MethodSettings:
    return MethodSettings(**{"files": files, "model": "speech", "threads": 1, "output": "", "yamnet": "", **changes})


def test_every_method_has_a_title() -> None:
    assert list(TITLES) == list(METHODS)


def test_the_plain_loop_gets_the_same_embeddings(files: list[str]) -> None:
    ours = byola_hear.get_scene_embeddings(
        [torch.from_numpy(read_audio(file, 16000)) for file in files], byola_hear.load_model("speech")
    )
    alone: Any = network(settings(files))(files)
    looped: Any = plain(settings(files))(files)
    np.testing.assert_allclose(alone, ours, rtol=0, atol=1e-5)
    np.testing.assert_allclose(looped, ours, rtol=0, atol=1e-2)


def test_a_method_runs_in_its_own_process(files: list[str], tmp_path: Path) -> None:
    output = tmp_path / "table.parquet"
    assert min(in_a_process("package", settings(files, output=str(output))).values()) > 0
    assert output.is_file()
    with pytest.raises(ChildFailed, match="^nothing failed: KeyError: 'nothing'$"):
        in_a_process("nothing", settings(files))


def test_the_package_embeds_the_files_that_are_counted(clips_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    source = recordings(clips_folder, 22050, 1)
    files = [str(file) for file in write_clips(tmp_path / "clips", source, 22050, 3, 0.3)]
    output = tmp_path / "table.csv"
    package(settings(files[:2], output=str(output)))(files[:2])
    assert len(output.read_text().splitlines()) == 1 + 2


def test_a_method_that_is_not_available_has_no_numbers(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.speed.collection_methods.find_spec", lambda _: None)
    assert run("opensmile", settings(files)) == {"missing": "not installed: pip install opensmile"}
    monkeypatch.setattr("benchmark.speed.collection_methods.find_spec", lambda _: True)
    with pytest.raises(NotAvailable, match="--yamnet"):
        yamnet(settings(files))
