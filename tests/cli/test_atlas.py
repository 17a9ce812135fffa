"""byola-hear atlas: a folder or a table to a Parquet file for Embedding Atlas."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
import soundfile
from pyarrow import parquet

from tests.classification.sounds import beep, write
from tests.cli.result import Run


def test_the_command(run: Run, clips_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.parquet"
    result = run("atlas", clips_folder, "-o", output, "--audio", "--audio-seconds", "0.5", "--vectors")
    assert result.code == 0 and "6 rows" in result.out
    assert f"embedding-atlas {output} --x x --y y --neighbors neighbours --audio audio" in result.out
    read = parquet.read_table(output).to_pandas()
    samples, rate = soundfile.read(io.BytesIO(read["audio"][0]["bytes"]))
    assert (len(samples), rate) == (8000, 16000) and len(read["vector"][0]) == 26
    for arguments, message in (
        ([clips_folder, "-o", output], "exists; give --overwrite"),
        ([clips_folder, "-o", tmp_path / "a.html"], "ends in .parquet"),
        ([clips_folder, "-o", tmp_path / "none" / "a.parquet"], "does not exist"),
        ([tmp_path / "nothing.wav", "-o", tmp_path / "b.parquet"], "nothing.wav"),
    ):
        refused = run("atlas", *arguments)
        assert refused.code != 0 and message in refused.err
    assert not (tmp_path / "b.parquet").exists()
    # A table on disk works, too, and sounds that are gone are reported.
    assert run("embed", clips_folder, "-o", tmp_path / "t.parquet").code == 0
    assert run("atlas", tmp_path / "t.parquet", "-o", output, "--overwrite").code == 0
    content = (tmp_path / "t.parquet").read_bytes()
    refused = run("atlas", tmp_path / "t.parquet", "-o", tmp_path / "t.parquet", "--overwrite")
    assert refused.code == 2 and "expected an output that is no input, got" in refused.err
    assert (tmp_path / "t.parquet").read_bytes() == content


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_folders_whose_names_are_not_utf_8(run: Run, tmp_path: Path) -> None:
    for name in ("owl", "summer"):
        write(tmp_path / "clips" / name / "0.wav", beep(0.5))
    (tmp_path / "clips/summer").rename(tmp_path / "clips" / os.fsdecode(b"\xe9t\xe9"))
    assert run("atlas", tmp_path / "clips", "-o", tmp_path / "a.parquet").code == 0
    assert sorted(parquet.read_table(tmp_path / "a.parquet")["label"].to_pylist()) == ["?t?", "owl"]
