"""What standardising changes: the command, its findings, and HEAR's own tables measured both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.studies.scales.command import scales_command
from benchmark.studies.scales.report import KINDS, report, sentences, summarised, twins
from tests.benchmark.made_sets import write_all_sets


def numbers(changes: dict[str, float]) -> pd.DataFrame:
    """Two tasks of two folds, 50 % as they are, and that much more when standardised."""
    return pd.DataFrame(
        {
            "model": model,
            "seed": 0,
            "task": task,
            "scales": kind,
            "fold": fold,
            "accuracy": 50 + change * (kind == KINDS[1]),
            "clips": 500,
            "strength": 1.0,
        }
        for model, change in changes.items()
        for task in ("esc50", "drum_strokes")
        for kind in KINDS
        for fold in "12"
    )


def test_a_change_is_claimed_only_where_its_interval_leaves_out_0() -> None:
    text = " ".join(sentences(summarised(numbers({"both": 0.5, "mfcc": 20.0}))))
    assert "by, in points: `mfcc` +20.0." in text
    assert "For `both` the interval of the change includes 0." in text
    assert "as they are, and `mfcc`, `both` standardised" in text
    assert text.count("Trust a table of embeddings as they are") == 1


def test_means_and_intervals() -> None:
    found = summarised(numbers({"both": 10.0})).set_index(["task", "scales"])
    assert found.loc[("mean", "change"), "value"] == pytest.approx(10)
    assert found.loc[("esc50", KINDS[1]), "value"] == pytest.approx(60)
    for _, row in found.iterrows():
        assert row["low"] < row["value"] < row["high"]
    assert found.loc[("mean", "change"), "high"] - found.loc[("mean", "change"), "low"] < 8


def test_the_command_measures_both_kinds_and_continues(tmp_path: Path) -> None:
    write_all_sets(tmp_path / "audio", 48)
    arguments = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--no-progress", "--models", "logmel"]
    arguments += ["--tasks", "drum_strokes,orchestral_notes", "-o", tmp_path / "results"]
    for _ in range(2):
        done = CliRunner().invoke(scales_command, [str(each) for each in arguments], catch_exceptions=False)
        assert done.exit_code == 0 and "| logmel |" in done.output
    kept = pd.read_csv(tmp_path / "results" / "scales.csv")
    assert set(kept["scales"]) == set(KINDS) and len(kept) == 4
    assert (tmp_path / "results" / "scales.png").stat().st_size > 10_000
    assert len(list((tmp_path / "cache" / "studies").iterdir())) == 2


def test_tables_of_hears_probes_are_put_next_to_each_other(repository: Path, tmp_path: Path) -> None:
    numbers({"both": 1.0}).to_csv(tmp_path / "scales.csv", index=False)
    assert len(report(tmp_path).tables) == 1
    text = (repository / "benchmark" / "results" / "mini.json").read_text(encoding="utf-8")
    (tmp_path / "mini.json").write_text(text, encoding="utf-8")
    document = json.loads(text)
    document["settings"]["standardise"] = True
    document["rows"] = [row for row in document["rows"] if row["name"] == "logmel"]
    for cell in document["rows"][0]["cells"].values():
        cell["score"], cell["gain"] = 0.5, 0.5
    (tmp_path / "mini_standardised.json").write_text(json.dumps(document), encoding="utf-8")
    (table,) = twins(tmp_path)
    assert "suite mini" in table and "| logmel |" in table and table.count("→ 50.0") == 7 and "| both |" not in table
