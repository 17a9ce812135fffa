"""Few labels with a known answer: blobs that lie apart, noise, and which clips are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.probes.splits import Fold
from benchmark.studies.few_shot.command import few_shot_command
from benchmark.studies.few_shot.draws import COUNTS, PROBES, curve, few, predict
from benchmark.studies.few_shot.report import report, sentences
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from tests.benchmark.made_sets import COLUMNS, write_all_sets

LABELS = np.repeat(list("abcd"), 100)
EVEN, ODD = np.arange(0, 400, 2), np.arange(1, 400, 2)


def accuracies(features: np.ndarray) -> pd.DataFrame:
    folds = [Fold("one", EVEN, EVEN[:9], ODD), Fold("other", ODD, ODD[:9], EVEN)]
    groups = np.arange(400).astype(str)
    return pd.DataFrame(curve(features, LABELS, groups, folds, "made", 6, 200, 0))


def test_separated_blobs_need_one_label_a_class() -> None:
    rng = np.random.default_rng(0)
    centres = 30 * rng.standard_normal((4, 50))
    features = (np.repeat(centres, 100, axis=0) + rng.standard_normal((400, 50))).astype(np.float32)
    found = accuracies(features)
    assert set(found["count"]) == set(COUNTS) and set(found["probe"]) == set(PROBES)
    assert (found["accuracy"] == 100).all()


def test_noise_stays_at_chance() -> None:
    found = accuracies(np.random.default_rng(0).standard_normal((400, 50)).astype(np.float32))
    means = found.groupby(["probe", "count"])["accuracy"].mean()
    assert means.between(19, 31).all()


def test_more_labels_help_where_classes_overlap() -> None:
    rng = np.random.default_rng(0)
    features = (np.repeat(rng.standard_normal((4, 50)), 100, axis=0) * 0.6 + rng.standard_normal((400, 50))).astype(
        "f4"
    )
    means = accuracies(features).groupby(["probe", "count"])["accuracy"].mean()
    for probe in PROBES:
        assert means[probe, 1] + 10 < means[probe, 20]


def test_draws_are_of_every_class_and_of_as_many_groups_as_possible() -> None:
    groups = np.array([f"speaker{index % 7}" for index in range(400)])
    drawn = few(LABELS, groups, EVEN, 5, np.random.default_rng(0))
    assert np.isin(drawn, EVEN).all() and len(set(drawn.tolist())) == 20
    for label in "abcd":
        assert len(set(groups[drawn[LABELS[drawn] == label]])) == 5
    assert few(LABELS, groups, EVEN, 5, np.random.default_rng(0)).tolist() == drawn.tolist()
    assert not len(few(LABELS, groups, EVEN[:60], 20, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="got 'forest'"):
        predict(np.zeros((4, 2), np.float32), LABELS[:4], np.arange(2), np.arange(2), "forest")


def test_the_same_probe_is_reported_whichever_was_better() -> None:
    rows = [
        {"model": "both", "seed": 0, "task": "made", "probe": probe, "count": 1, "draw": draw, "accuracy": accuracy}
        for probe, accuracy in (("centroid", 90.0), ("ridge", 50.0))
        for draw in range(3)
    ]
    assert "a ridge probe on `both` classifies 50.0 % of the clips correctly" in sentences(pd.DataFrame(rows), 3)[0]


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
    assert set(numbers["count"]) == {1, 5} and len(numbers) == 2 * 2 * 2 * 2 * 3
    assert len(report(tmp_path / "results").sentences) == 3
    assert (
        sum(block["kind"] == "figure" for block in load_section(tmp_path / "results" / "few_shot.md").data()["blocks"])
        == 1
    )
    monkeypatch.setattr("benchmark.studies.few_shot.command.show_report", lambda *_: None)
    run(tmp_path / "again")
    first, second = (tmp_path / folder / "few_shot.csv" for folder in ("results", "again"))
    assert first.read_bytes() == second.read_bytes()
