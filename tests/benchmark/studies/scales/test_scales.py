"""What standardising changes: the command, its findings, and HEAR's own tables measured both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.studies.scales.changes import KINDS, change_sentences, summarised
from benchmark.studies.scales.command import command as scales_command
from benchmark.studies.scales.report import report
from benchmark.studies.scales.twins import twins
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
    text = " ".join(change_sentences(summarised(numbers({"both": 0.5, "mfcc": 20.0})), 2))
    assert "Standardising changes the mean over 2 tasks by, in points: `mfcc` +20.0." in text
    assert "For `both` (+0.5) the interval of the change includes 0." in text
    assert "as they are, and `mfcc`, `both` standardised" in text
    swapped = summarised(numbers({"both": 0.5, "mfcc": 0.1}))
    swapped.loc[(swapped["model"] == "mfcc") & (swapped["scales"] == KINDS[0]), "value"] += 0.3
    assert len(change_sentences(swapped, 2)) == 1  # no order is claimed from changes within their intervals
    (text,) = change_sentences(summarised(numbers({"both": 0.5})), 2, "In a probe")
    assert text == "In a probe, for `both` (+0.5) the interval of the change of the mean over 2 tasks includes 0."


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


@pytest.fixture
def twin(repository: Path, tmp_path: Path) -> dict[str, Any]:
    """The study's numbers and the kept table of the mini suite in a folder; a twin of which all scores are 50 %."""
    numbers({"both": 1.0}).to_csv(tmp_path / "scales.csv", index=False)
    text = (repository / "benchmark" / "results" / "mini.json").read_text(encoding="utf-8")
    (tmp_path / "mini.json").write_text(text, encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    document["settings"]["standardise"] = True
    document["about"]["provenance"]["hardware"] = "a machine"
    document["rows"] = [row for row in document["rows"] if row["name"] in ("logmel", "both")]
    for row in document["rows"]:
        for cell in row["cells"].values():
            cell["score"], cell["gain"], cell["low"], cell["high"] = 0.5, 0.5, 0.47, 0.53
    return document


def test_tables_of_hears_probes_are_put_next_to_each_other(twin: dict[str, Any], tmp_path: Path) -> None:
    del twin["rows"][0]["cells"]["mini_vowels"]
    (tmp_path / "mini_standardised.json").write_text(json.dumps(twin), encoding="utf-8")
    (found,) = twins(tmp_path)
    mean = found.summary.set_index(["model", "task", "scales"]).loc[("logmel", "mean", "standardised")]
    assert mean["value"] == pytest.approx(50) and mean["high"] - mean["value"] == pytest.approx(3 / 5**0.5)
    assert len(found.in_mean) == 5 and "vowels" not in found.in_mean
    made = report(tmp_path)
    assert "2 cores and on a machine, whose processors round differently" in made.tables[1]
    assert list(made.figures) == ["scales", "scales_mini"]
    assert (
        "not all were measured both ways, and the mean is over: consonants; percussion; animals, instruments;"
        in made.tables[1]
    )
    rows = {line.split(" | ")[0]: line for line in made.tables[1].splitlines()}
    assert rows["| logmel"].count("→ 50.0") == 7
    assert rows["| both"].count("→ 50.0") == 6 and rows["| both"].count("–") == 1
    for task in ("mini_consonants", "mini_percussion", "mini_drum_events"):
        del twin["rows"][0]["cells"][task]
    (tmp_path / "mini_standardised.json").write_text(json.dumps(twin), encoding="utf-8")
    (line,) = [line for line in report(tmp_path).tables[1].splitlines() if line.startswith("| both")]
    assert line.endswith("| – | – |")  # two of six tasks are too few for a mean
    assert any("In HEAR's own probes on the suite mini, standardising changes" in text for text in made.sentences)
    for draw, _ in made.figures.values():
        assert draw is not None and draw().axes


def test_a_twin_has_the_same_settings_embeddings_and_tasks(twin: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "mini_standardised.json"
    twin["rows"][0]["identity"] = "other"
    twin["columns"][0]["sha256"] = "other"
    path.write_text(json.dumps(twin), encoding="utf-8")
    (found,) = twins(tmp_path)
    assert set(found.summary["model"]) == {"logmel"} and len(set(found.summary["task"])) == 6
    path.write_text(json.dumps({**twin, "settings": {**twin["settings"], "grid_points": 4}}), encoding="utf-8")
    with pytest.raises(ValueError, match="expected grid_points 2, as in mini.json, got 4"):
        twins(tmp_path)
