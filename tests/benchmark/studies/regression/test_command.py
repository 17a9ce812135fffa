"""The command, from sets to findings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.__main__ import run
from benchmark.comparison.page import load_section
from benchmark.studies.findings import read_numbers
from benchmark.studies.regression.command import command as regression_command
from benchmark.studies.regression.measurements import MEASUREMENTS
from benchmark.studies.regression.report import sentences
from tests.benchmark.labelled_sets import write_set


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("speaker,years", "read_speech_speakers: expected a column 'age' in the manifest, found file, speaker, years"),
        ("speaker,age", "read_speech_speakers: expected a number in every row of 'age', got ''"),
    ],
)
def test_a_set_without_the_numbers_is_named(columns: str, message: str, tmp_path: Path) -> None:
    rows = [dict(zip(columns.split(","), values)) for values in (("a", "7"), ("b", ""))]
    write_set(tmp_path, "read_speech_speakers", rows, [np.ones(9)] * 2)
    with pytest.raises(ValueError, match=message):
        MEASUREMENTS["age"].examples(tmp_path, tmp_path, 0)


def test_the_command(audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--models", "logmel,mfcc", "--measurements", "pitch,dynamics", "--audio", str(audio), "--no-progress"]
    arguments += ["--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as stopped:
        run(regression_command, arguments, "regression")
    assert not stopped.value.code
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"regression{ending}" for ending in (".csv", ".json", ".md", ".png", "_findings.md")
    }
    assert "mean of the training clips" in capsys.readouterr().out
    about = json.loads((tmp_path / "out" / "regression.json").read_text())
    assert set(about["models"]) == {"logmel", "mfcc"}
    part = load_section(tmp_path / "out" / "regression.md")
    assert {block["kind"] for block in part.data()["blocks"]} >= {"figure", "table"}
    assert "| logmel |" in part.markdown
    numbers = read_numbers(tmp_path / "out", "regression")
    # The sentences use the numbers in the file.
    numbers["model"] = numbers["model"].replace({"logmel": "speech", "mfcc": "nonspeech"})
    numbers.loc[numbers.query("score == 'mae' and measurement == 'pitch'").index, "value"] = 1.25
    assert "its mean error is 1.2 semitones" in " ".join(sentences(numbers))


def test_a_wrong_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--measurements", "weight"], ["--models", "nosuchmodel"]):
        with pytest.raises(SystemExit) as stopped:
            run(regression_command, arguments, "regression")
        assert stopped.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
