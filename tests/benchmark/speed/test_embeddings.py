"""The speed command: its measurements, its aims and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from benchmark.__main__ import main
from benchmark.reporting.markdown import markdown
from benchmark.speed.embeddings import measure, report, verdicts, write_long_file


def test_a_long_file_has_its_length(tmp_path: Path) -> None:
    write_long_file(tmp_path / "long.wav", 90.5, 16000)
    info = soundfile.info(tmp_path / "long.wav")
    assert (info.frames, info.samplerate, info.subtype) == (90.5 * 16000, 16000, "PCM_16")


def test_aims_are_judged() -> None:
    ratios = {"scene": 1.6, "timestamps": 14.9, "timestamps_own": 15.0}
    result = {
        "ratios": {"cpu": ratios, "wall": ratios},
        "start_up": {"import": 1.0, "load": 1.0, "first_clip": 1.1, "total": 3.1},
        "memory": {"file": {"peak_bytes": 1.4e9}, "tensor": {"peak_bytes": 1.6e9}},
        "about": {"hours": 3.0},
    }
    reached = [line[-1] for line in verdicts(result)]
    assert reached == ["yes", "no", "yes"] * 2 + ["no", "yes", "no"]
    result["about"]["hours"] = 0.25  # type: ignore[index]
    assert verdicts(result)[-1][-1] == "the aim is for 3 h"


@pytest.mark.parametrize("output", ["speed.csv", "no/such/folder/speed.json"])
def test_an_output_that_could_not_be_written_is_refused_first(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.measure", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(SystemExit) as stopped:
        main(["speed", "-o", str(tmp_path / output)])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: expected an output file that ends in .json or .md")


def test_hours_are_a_number(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.measure", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(SystemExit) as stopped:
        main(["speed", "--hours", "nan"])
    assert stopped.value.code == 2
    assert "expected a finite number, got nan" in capsys.readouterr().err


@pytest.mark.slow
def test_everything_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.N_CLIPS", 1)
    monkeypatch.setattr("benchmark.speed.embeddings.CLIP_SECONDS", 0.5)
    result = measure("untrained", turns=1, starts=1, hours=0, progress=False)
    json.dumps(result)
    text = report(result)
    assert "start-up after importing torch" in text
    assert "| scene embeddings | " in report(result, markdown)
    assert all(each["per_cpu_second"] > 0 for each in result["speed"].values())
    assert 0 < result["start_up"]["import"] < result["start_up"]["total"]
    assert result["start_up"]["first_row"] > result["start_up"]["torch"] / 2
    assert "| byola-hear embed of one clip to a table, from start to end: importing torch" in report(result, markdown)
