"""What the tests of labels share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labels.recordings import tone


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a recording of 10 s and one of 5 s."""
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "day.wav", 10)
    tone(tmp_path / "rec/night.wav", 5)
    return tmp_path
