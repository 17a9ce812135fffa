from __future__ import annotations

from pathlib import Path

import pytest

from byola_hear.pretraining.data.manifest import ManifestClip, write_manifest
from tests.pretraining.running import run


def test_limit_of_an_unknown_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        write_manifest([ManifestClip("x.wav", 1.0, 16000)], path)
    assert run("match", *paths, "-o", tmp_path / "sets", "--limit", "music=0.5") == 2
    assert (
        capsys.readouterr().err == "error: expected no --limit, as the manifests name no kinds, got one for 'music'\n"
    )
    write_manifest([ManifestClip("x.wav", 1.0, 16000), ManifestClip("y.wav", 1.0, 16000, kind="speech")], paths[0])
    assert run("match", *paths, "-o", tmp_path / "sets", "--limit", "music=0.5") == 2
    assert "for one of the kinds speech, got 'music'" in capsys.readouterr().err
