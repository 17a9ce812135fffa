"""Reports are made from the numbers alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmark.__main__ import run
from benchmark.studies.report_command import command, kept_results, texts_of


def test_committed_results_are_what_their_numbers_make(repository: Path) -> None:
    folder = repository / "benchmark" / "results"
    names = kept_results(folder)
    assert {"cka", "public", "probe", "speed"} <= set(names)
    made = {file: text for name in names for file, text in texts_of(folder, name).items()}
    stale = [file for file, text in made.items() if (folder / file).read_text(encoding="utf-8") != text]
    assert stale == [], "run `python -m benchmark report`"


def test_the_command_writes_a_report_again(repository: Path, tmp_path: Path) -> None:
    for name in ("size.csv", "size.json", "probe.json"):
        shutil.copy(repository / "benchmark" / "results" / name, tmp_path)
    done = CliRunner().invoke(command, ["--results", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} - {"size.csv", "size.json", "probe.json"} == {
        "size.md",
        "size.png",
        "size_findings.md",
        "probe.md",
    }


@pytest.mark.parametrize(("name", "message"), [("volume", "got 'volume'"), ("cka", "no such file")])
def test_an_unknown_or_missing_result_is_one_line(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(command, [name, "--results", str(tmp_path)], "report")
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
