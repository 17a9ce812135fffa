"""``byola-hear models``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from byola_hear.models import zoo
from tests.cli.result import Run


def test_the_list_of_models(run: Run, models: Path) -> None:
    result = run("models")
    assert (result.code, result.err) == (0, "")
    header, *lines = result.out.splitlines()
    assert header.split() == [
        "name",
        "version",
        "licence",
        "frame",
        "ms",
        "dimensions",
        "MB",
        "hours",
        "sha256",
        "verified",
    ]
    table = zoo.read_hashes(models)
    assert [line.split() for line in lines] == [
        [name, "1.5", "Apache-2.0", "40", "26", "0.0", "12.2", table[name]["sha256"][:12], "yes"]
        for name in ("both", "speech")
    ]


def test_damaged_models_are_listed_as_such(
    run: Run, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = Path(shutil.copytree(models, tmp_path / "zoo"))
    monkeypatch.setattr(zoo, "zoo_folder", lambda: damaged)
    with open(damaged / "byola-speech.safetensors", "r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x55")
    result = run("models")
    assert result.code == 1
    assert [line.split()[-1] for line in result.out.splitlines()] == ["verified", "yes", "no"]
    (damaged / "byola-speech.safetensors").unlink()
    result = run("models")
    assert result.code == 1 and "byola-speech.safetensors" in result.err and result.err.count("\n") == 1
    assert [line.split()[-1] for line in result.out.splitlines()] == ["verified", "yes", "no"]
    (damaged / "hashes.json").unlink()
    assert run("models").code == 1
    (damaged / "hashes.json").write_text("{")
    for command in ("models", "verify"):
        result = run(command)
        assert (result.code, result.out) == (1, "") and "hashes.json: damaged table of checkpoints" in result.err
