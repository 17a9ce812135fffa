"""What the tests of extraction share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extraction.some_files import make


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with some files."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "d/b/2.WAV", "d/b/1.flac", "d/a.mp3", "d/b.wav", "d/notes.txt", "d/.hidden/x.wav", "d/b/.y.wav")
    return tmp_path
