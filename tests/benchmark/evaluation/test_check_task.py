"""The small task of the checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.evaluation.check_task import check_task, described, excerpts_task
from benchmark.tasks.layout import Prepared


def test_without_labelled_sets_the_tests_clips_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(name: str, *others: object) -> Prepared:
        raise FileNotFoundError("no labelled sets")

    monkeypatch.setattr("benchmark.evaluation.check_task.prepare", prepare)
    monkeypatch.setattr("benchmark.evaluation.check_task.EXCERPTS", {"train": 3, "valid": 2, "test": 2})
    task = check_task(None, tmp_path, None, False)
    assert task.name == "excerpts" and len(json.loads((task.folder / "test.json").read_text())) > 5
    with pytest.raises(FileNotFoundError):
        check_task("esc50", tmp_path, None, False)


def test_excerpts_that_are_there_stay_unless_they_are_others(
    clips_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.evaluation.check_task.EXCERPTS", {"train": 2, "valid": 1, "test": 1})
    task = excerpts_task(clips_folder, tmp_path / "cache" / "tasks")
    truth = task.folder / "test.json"
    written = truth.stat().st_mtime_ns, truth.stat().st_ino
    assert excerpts_task(clips_folder, task.folder.parent).sha256 == task.sha256
    assert (truth.stat().st_mtime_ns, truth.stat().st_ino) == written
    (task.folder / "task_metadata.json").unlink()
    assert excerpts_task(clips_folder, task.folder.parent) == task
    assert described(task.folder, task.title, task.description) == task
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tasks"]
