from __future__ import annotations

from pathlib import Path

import pytest

from byola_hear.pretraining.training import curves
from tests.pretraining.running import run


def test_runs_of_the_same_name_have_different_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(curves, "draw_curves", lambda logs, output: drawn.extend(logs))
    for name in ("a/run", "b/run", "b/other"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert run("plot", "a/run", "b/run", "b/other", "-o", "curves.png") == 0
    assert drawn == ["a/run", "b/run", "other"]
