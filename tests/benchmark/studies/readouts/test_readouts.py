"""The study of readouts: means over tasks, differences from the first model, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

pytest.importorskip("sklearn")

from benchmark.studies.findings import save_numbers
from benchmark.studies.readouts.command import command
from benchmark.studies.readouts.report import NAME, by_task, difference, report, sentences
from tests.benchmark.made_sets import write_all_sets

ABOUT: dict[str, Any] = {
    **{"command": "python -m benchmark readouts", "parts": "test", "draws": 2},
    "notes": {"both": "both 0.2.0", "taught": "a network with teachers"},
}


def numbers(gain: float = 10.0) -> pd.DataFrame:
    """``taught`` is ``gain`` points ahead of ``both`` by neighbours and 20 labels, and level by the probe."""
    rows = []
    for model, better in (("both", 0.0), ("taught", gain)):
        for task, base in (("spoken_digits", 40.0), ("esc50", 60.0)):
            row = {"model": model, "seed": 0, "domain": "speech", "task": task, "clips": 1000}
            rows.append({**row, "measure": "neighbours", "count": 0, "draw": 0, "accuracy": base + better})
            for draw in range(2):
                rows.append({**row, "measure": "probe", "count": 0, "draw": draw, "accuracy": base + 20})
                few = {**row, "measure": "ridge", "count": 20, "draw": draw}
                # One draw is harder than the other for every model.
                rows.append({**few, "accuracy": base + better - 5 * draw})
    # A task with few clips has no draws with 20 labels.
    return pd.DataFrame([row for row in rows if (row["task"], row["count"]) != ("esc50", 20)])


def test_a_readout_is_averaged_over_the_tasks_that_have_it() -> None:
    assert by_task(numbers(), "probe").loc["both"].to_dict() == {"spoken_digits": 60.0, "esc50": 80.0}
    assert by_task(numbers(), "20 labels").loc["taught"].to_dict() == {"spoken_digits": 47.5}


def test_differences_are_paired_over_the_draws_that_all_models_share() -> None:
    found = difference(numbers(), "taught", "both", "20 labels")
    # The draws differ by 5 points, and the models by 10 in every one of them.
    assert found.value == pytest.approx(10) and str(found) == "+10.0"
    by_probe = difference(numbers(), "taught", "both", "probe")
    assert by_probe.value == pytest.approx(0) and by_probe.low < 0 < by_probe.high
    assert difference(numbers(), "taught", "both", "5 neighbours").value == pytest.approx(10)


def test_the_report_compares_with_the_first_model(tmp_path: Path) -> None:
    save_numbers(tmp_path, NAME, numbers(), ABOUT)
    text = report(tmp_path).texts(tmp_path, NAME)[f"{NAME}.md"]
    assert "| both | 70.0 | 50.0 | 37.5 |  |  |  |" in text
    assert "| taught | 70.0 | 60.0 | 47.5 | +0.0 (" in text and "| +10.0 | +10.0 |" in text
    assert "Clips of one speaker or recording are resampled as if they were independent." in text
    assert "- taught: a network with teachers" in text
    found = " ".join(sentences(numbers(), ABOUT))
    assert "By nearest neighbours, `taught` is best (60.0 %)." in found
    assert "By the probe, `both` has the highest score (70.0 %), with no clear difference from `taught`." in found
    draw, caption = report(tmp_path).figures[NAME]
    assert draw is not None and len(draw().axes) == 3 and "ridge probe" in caption


def test_the_command_measures_the_named_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio")
    monkeypatch.setenv("BYOLA_BENCHMARK_CACHE", str(tmp_path / "cache"))
    arguments = ["--audio", tmp_path / "audio", "--models", "both,logmel", "--tasks", "esc50,drum_strokes"]
    arguments += ["--draws", 2, "--no-progress", "--output", tmp_path / "results"]
    result = CliRunner().invoke(command, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    kept = pd.read_csv(tmp_path / "results" / "readouts.csv")
    assert set(kept["model"]) == {"both", "logmel"} and set(kept["task"]) == {"esc50", "drum_strokes"}
    assert {"probe", "neighbours"} <= set(kept["measure"]) and kept["accuracy"].between(0, 100).all()
    assert "`logmel` differs from `both` by" in result.output
