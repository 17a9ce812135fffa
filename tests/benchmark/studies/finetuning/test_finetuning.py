"""Fine-tuned against frozen: the command on small sets, and what its report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.probes.splits import TASKS
from benchmark.studies.finetuning import measuring
from benchmark.studies.finetuning.command import command
from benchmark.studies.finetuning.report import sentences
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from tests.benchmark.labelled_sets import RATE, write_set


def write_sets(folder: Path) -> None:
    """ESC-50 and EmoDB of tones and noises: 24 clips, two of each source recording or speaker."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    clips, rows = [], []
    for index in range(24):
        tone = np.sin(2 * np.pi * rng.uniform(300, 900) * np.arange(4000) / RATE)
        clips.append(0.1 * (tone if index // 2 % 2 else rng.standard_normal(4000)))
        rows.append(str(index // 2))
    label = ["tone" if index // 2 % 2 else "noise" for index in range(24)]
    esc50 = [
        {"label": name, "fold": "1", "esc10": str(index < 18), "source_recording": row}
        for index, (name, row) in enumerate(zip(label, rows, strict=True))
    ]
    emodb = [{"emotion": name, "speaker": row, "gender": "f"} for name, row in zip(label, rows, strict=True)]
    write_set(folder, "esc50", esc50, clips)
    write_set(folder, "emodb", emodb, clips)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A small network with random weights."""
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    model = ByolaModel(ModelConfig("small", "1.0", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()
    save_checkpoint(tmp_path / "small.safetensors", model)
    return tmp_path / "small.safetensors"


def test_the_command_compares_and_continues(tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sets(tmp_path / "audio")
    given: list[Any] = [*("--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--no-progress")]
    given += ["--models", network, "--epochs", "1", "--folds", "2", "-o", tmp_path / "results"]
    done = CliRunner().invoke(command, [str(each) for each in given], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    numbers = pd.read_csv(tmp_path / "results" / "finetuning.csv")
    assert numbers["task"].tolist() == ["esc10", "emodb"] and numbers["clips"].tolist() == [18, 24]
    assert numbers["groups"].tolist() == [9, 12] and set(numbers["folds"]) == {2}
    assert ((numbers["frozen"] > 0) & (numbers["low"] <= numbers["high"])).all()
    about = json.loads((tmp_path / "results" / "finetuning.json").read_text())
    assert [len(curve) for curve in about["curves"]["small esc10"]] == [2, 2]
    text = (tmp_path / "results" / "finetuning.md").read_text()
    assert "Folds never split a source recording (esc10) and speaker (emodb)." in text
    assert (tmp_path / "results" / "finetuning.png").stat().st_size > 10_000
    # What is finished is not done again, and nothing else is kept.
    monkeypatch.setattr(measuring, "write_clips", None)
    assert CliRunner().invoke(command, [str(each) for each in given]).exit_code == 0
    assert {path.suffix for path in (tmp_path / "cache" / "studies").iterdir()} == {".json"}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("logmel", "got the baseline logmel"),
        ("both@int8", "expected networks in float32, from which fine-tuning starts, got both@int8"),
    ],
)
def test_what_is_not_fine_tuned_is_refused(tmp_path: Path, model: str, message: str) -> None:
    write_sets(tmp_path / "audio")
    given = [*("--models", model, "--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "-o", tmp_path / "n")]
    done = CliRunner().invoke(command, [str(each) for each in given])
    assert done.exit_code == 2 and message in " ".join(done.output.split())


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--tasks", "esc11", "-o", str(tmp_path / "new")])
    assert done.exit_code == 2 and "expected tasks out of" in done.output and "'esc11'" in done.output
    assert not (tmp_path / "new").exists()


def test_no_difference_is_claimed_whose_interval_includes_0() -> None:
    lines = [("esc10", 0.01, 0.03), ("emodb", -0.01, 0.03), ("esc50", -0.03, -0.01)]
    columns = {"model": "both", "frozen": 0.8, "tuned": 0.81}
    numbers = pd.DataFrame([{**columns, "task": task, "low": low, "high": high} for task, low, high in lines])
    better, same, worse = sentences(numbers)
    assert better.startswith(
        "On esc10, fine-tuning `both` beats the frozen network: a mean average precision of 81.0 %"
    )
    assert "difference +1.0 (+1.0 to +3.0) points" in better
    assert "does not beat the frozen network by more than chance" in same and "is worse than" in worse


def test_groups_stay_whole() -> None:
    assert TASKS["esc10"].group == "source_recording" and TASKS["emodb"].group == "speaker"
