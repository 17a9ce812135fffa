"""Tasks by name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.tasks import registry
from benchmark.tasks.checks import check_definition
from benchmark.tasks.registry import HEAR_SMALL, MINI, PUBLIC, SUITES, find, prepare, task_of
from tests.benchmark.tasks.toy_tasks import SCENE, scene_items


@pytest.mark.parametrize("name", [*PUBLIC, *MINI, *HEAR_SMALL])
def test_each_name_is_that_of_a_task_that_heareval_can_run(name: str) -> None:
    task = task_of(name)
    assert task.name == name and task.title and task.description and task.domain in ("speech", "nonspeech", "cross")
    check_definition(task)


def test_names_of_suites_stand_for_their_tasks() -> None:
    assert find("public") == list(PUBLIC) == list(SUITES["public"])
    assert find(["pitch", "public"])[:2] == ["pitch", "spoken_digits"]
    assert len(find("public,pitch")) == len(PUBLIC)
    assert find(" esc50 , pitch") == ["esc50", "pitch"]


def test_the_former_name_of_a_suite_is_accepted_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert find("shared") == list(PUBLIC)
    warning = capsys.readouterr().err
    assert warning.startswith("warning: the suite shared is now called public") and warning.count("\n") == 1


def test_no_name_is_in_two_suites() -> None:
    everything = [name for suite in SUITES for name in SUITES[suite]]
    assert len(everything) == len(set(everything)) == len(find(list(SUITES)))
    assert not set(SUITES) & set(everything)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"out of mini, public, hear, hear-small, .*esc50.*got 'esc51'"):
        find("esc50,esc51")
    with pytest.raises(ValueError, match="got 'esc51'"):
        prepare("esc51", Path("tasks"))
    with pytest.raises(ValueError, match="got 'esc51'"):
        task_of("esc51")


def test_a_builder_that_cannot_be_imported_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_drums(name: str) -> object:
        if name.endswith("drum_strokes"):
            raise ModuleNotFoundError("no drums")
        return importlib.import_module(name)

    monkeypatch.setattr(registry, "importlib", SimpleNamespace(import_module=without_drums))
    assert task_of("esc50").name == "esc50"
    with pytest.raises(ModuleNotFoundError, match="no drums"):
        task_of("drum_strokes")


def test_a_task_of_packages_fetches_them_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    fetched: list[Path] = []

    def fetch(folder: Path, progress: bool) -> None:
        fetched.append(folder)
        (folder / "toy_set.deb").write_bytes(b"package")

    module = SimpleNamespace(TASKS=(SCENE,), fetch=fetch)
    monkeypatch.setattr(registry, "_module", lambda name: module)
    monkeypatch.setattr(registry, "MINI", {"toy": "one"})
    prepared = prepare("toy", tmp_path / "work" / "tasks")
    assert prepared.name == "toy" and fetched == [tmp_path / "cache" / "packages"]
    files = [path.name for path in prepared.folder.rglob("*.wav")]
    assert sorted(files) == sorted(item.file for item in scene_items(tmp_path))


def test_a_missing_set_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="benchmark fetch all"):
        prepare("esc50", tmp_path / "tasks", tmp_path / "nothing")
