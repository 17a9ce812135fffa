"""``byola-hear verify``."""

from __future__ import annotations

import shutil
from pathlib import Path

from byola_hear.models import zoo
from tests.cli.result import Run


def test_verify(run: Run, models: Path, tmp_path: Path) -> None:
    result = run("verify")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == ["model", "both", "speech"]
    copy = Path(shutil.copy(models / "byola-both.safetensors", tmp_path / "copy.safetensors"))
    result = run("verify", copy, "speech")
    assert result.code == 0 and zoo.read_hashes(models)["both"]["sha256"] in result.out
    copy.write_bytes(copy.read_bytes()[:-9])
    result = run("verify", copy, "speech", "nowhere.safetensors")
    assert result.code == 1 and result.err.count("\n") == 2 and "intact" in result.out
    result = run("verify", "spech")
    assert (result.code, result.out) == (1, "") and "'spech'; known names: both, speech" in result.err
