"""The command, from sets to findings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.studies.transfer.command import command as transfer_command
from benchmark.studies.transfer.report import report
from tests.benchmark.made_sets import write_all_sets


def test_the_command_from_sets_to_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio", 48)
    arguments = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--no-progress", "--models", "logmel"]
    arguments += ["--transfers", "microphones,dynamics", "-o"]

    def run(output: Path) -> None:
        result = CliRunner().invoke(
            transfer_command, [str(each) for each in (*arguments, output)], catch_exceptions=False
        )
        assert result.exit_code == 0

    run(tmp_path / "results")
    numbers = pd.read_csv(tmp_path / "results" / "transfer.csv")
    assert numbers.groupby("transfer").size().to_dict() == {"dynamics": 4, "microphones": 4}
    assert numbers["value"].between(0, 100).all()
    assert 2 <= len(report(tmp_path / "results").sentences) <= 3
    assert (
        sum(block["kind"] == "figure" for block in load_section(tmp_path / "results" / "transfer.md").data()["blocks"])
        == 1
    )
    monkeypatch.setattr("benchmark.studies.transfer.command.show_report", lambda *_: None)
    run(tmp_path / "again")
    first, second = (tmp_path / folder / "transfer.csv" for folder in ("results", "again"))
    assert first.read_bytes() == second.read_bytes()
