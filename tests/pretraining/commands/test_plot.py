from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import pytest
from matplotlib.figure import Figure

from byola_hear.pretraining.training import curves
from byola_hear.pretraining.training.run_log import COLUMNS, log_text
from tests.pretraining.running import run


def test_runs_of_the_same_name_have_different_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(curves, "draw_curves", lambda logs, output: drawn.extend(logs))
    for name in ("a/run", "b/run", "b/other"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert run("plot", "a/run", "b/run", "b/other", "-o", "curves.png") == 0
    assert drawn == ["a/run", "b/run", "other"]


def test_picture_has_the_name_that_was_given_and_is_replaced_by_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = dict.fromkeys(COLUMNS, 1.0)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.csv").write_text(log_text([row, {**row, "crops": 2.0}]))
    assert run("plot", tmp_path / "run", "-o", tmp_path / "curves") == 0
    assert (tmp_path / "curves").read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "curves").read_bytes()

    def full(figure: Figure, stream: BinaryIO, **options: object) -> None:
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    assert run("plot", tmp_path / "run", "-o", tmp_path / "curves") == 2
    assert str(tmp_path / "curves") in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == {"curves": before}
