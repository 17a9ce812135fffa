"""The command, from sets to findings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.studies.few_shot.command import command as few_shot_command
from benchmark.studies.few_shot.report import report
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from tests.benchmark.made_sets import COLUMNS, write_all_sets


def test_the_command_draws_the_same_for_all_models_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio", 48)
    assert set(COLUMNS) >= {"drum_strokes", "orchestral_notes"}
    config = ModelConfig("small", "0", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -8.0, 4.5)
    checkpoint = tmp_path / "small.safetensors"
    save_checkpoint(checkpoint, ByolaModel(config))
    arguments = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--draws", 3, "--no-progress"]
    arguments += ["--tasks", "drum_strokes,orchestral_notes", "--models", f"logmel,{checkpoint}", "-o"]

    def run(output: Path) -> str:
        result = CliRunner().invoke(
            few_shot_command, [str(each) for each in (*arguments, output)], catch_exceptions=False
        )
        assert result.exit_code == 0
        return result.output

    assert "| logmel, ridge |" in run(tmp_path / "results")
    numbers = pd.read_csv(tmp_path / "results" / "few_shot.csv")
    # Twelve clips of a class can be learnt from, so there are no draws of twenty.
    assert set(numbers["count"]) == {1, 5, 8} and len(numbers) == 2 * 2 * 4 * 3 * 3
    assert len(report(tmp_path / "results").sentences) == 4
    assert (
        sum(block["kind"] == "figure" for block in load_section(tmp_path / "results" / "few_shot.md").data()["blocks"])
        == 1
    )
    monkeypatch.setattr("benchmark.studies.few_shot.command.show_report", lambda *_: None)
    run(tmp_path / "again")
    first, second = (tmp_path / folder / "few_shot.csv" for folder in ("results", "again"))
    assert first.read_bytes() == second.read_bytes()
