"""Folders of tasks and of their sources."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "toy_set.tar").write_bytes(b"one")
    return folder


@pytest.fixture
def tasks_dir(tmp_path: Path) -> Path:
    return tmp_path / "work" / "tasks"
