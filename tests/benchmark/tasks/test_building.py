from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.tasks.building import built_beside
from byola_hear.utils.files import locked


def build(tasks_dir: Path, content: str) -> None:
    with built_beside(tasks_dir, "toy") as folder:
        folder.mkdir()
        (folder / "task").write_text(content)


def test_a_task_appears_when_it_is_complete_and_replaces_another(tmp_path: Path) -> None:
    tasks_dir = tmp_path / "tasks"
    for content in ("one", "two"):
        build(tasks_dir, content)
        assert [path.read_text() for path in tasks_dir.rglob("*") if path.is_file()] == [content]
    with pytest.raises(KeyboardInterrupt), built_beside(tasks_dir, "toy") as folder:
        folder.mkdir()
        assert [path.name for path in tasks_dir.iterdir()] == ["toy"]
        raise KeyboardInterrupt
    assert (tasks_dir / "toy" / "task").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["tasks"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    abandoned, busy = (tmp_path / f".toy-{number}.building" for number in "12")
    for folder in (abandoned, busy):
        folder.mkdir()
        (folder / "lock").touch()
    with open(busy / "lock", "rb+") as lock:
        if not locked(lock):
            pytest.skip("no locks here")
        build(tmp_path / "tasks", "one")
    assert not abandoned.exists() and busy.exists()
