"""The proof of a cluster that loses a node: what it compares, and that it says what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import byola_hear
from benchmark.faults import cluster
from benchmark.faults.proof import Found, Settings
from byola_hear.cli.main import main


def table(path: Path, *files: Path) -> Path:
    with pytest.raises(SystemExit):
        main(["embed", *map(str, files), "-o", str(path), "-q"])
    return path


def test_tables_are_compared_by_rows_numbers_and_errors(tmp_path: Path, clips_folder: Path) -> None:
    pytest.importorskip("pyarrow")
    clips = [clips_folder / "speech_english_8k.wav", clips_folder / "speech_french_16k.wav"]
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF no sound")
    plain = table(tmp_path / "plain.parquet", *clips, broken)
    assert len(byola_hear.read_table(plain)) == 2
    same, less = tmp_path / "same.parquet", table(tmp_path / "less.parquet", clips[0], broken)
    for ending in ("", ".errors.csv"):
        shutil.copyfile(f"{plain}{ending}", f"{same}{ending}")
    found = Found("")
    cluster.compare(found, plain, same)
    assert (found.tried, found.faults) == (3, [])
    assert found.figures == {"largest difference, share of the largest value": 0.0}
    cluster.compare(found, plain, less)
    assert found.faults == ["expected the 2 rows of the plain table, got 1"]
    Path(f"{same}.errors.csv").write_text("")
    cluster.compare(found, plain, same)
    assert found.faults[1:] == ["the tables of errors differ"]


def test_without_ray_it_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert cluster.cluster(Settings(tmp_path)).not_tried == "Ray is missing (pip install 'byola-hear[ray]')"
