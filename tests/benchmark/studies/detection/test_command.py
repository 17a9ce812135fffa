"""The command, from sets to findings, and the numbers in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.studies.detection.command import command as detection_command
from benchmark.studies.detection.command import numbers_of
from benchmark.studies.detection.composition import CLASSES, kinds
from benchmark.studies.detection.measuring import draws_of
from benchmark.studies.detection.report import sentences, with_enough_clips
from benchmark.studies.detection.scoring import MEASURES
from tests.benchmark.studies.detection.made import write_sets


def test_draws_are_from_different_recordings() -> None:
    draws = draws_of(100, 3)
    assert [(draw.count, draw.number) for draw in draws] == [
        (5, 0),
        (5, 1),
        (5, 2),
        (20, 0),
        (20, 1),
        (20, 2),
        (100, 0),
    ]
    for count in (5, 20):
        rows = [set(draw.rows.tolist()) for draw in draws if draw.count == count]
        assert sum(map(len, rows)) == len(set().union(*rows)) == 3 * count
    assert [draw.count for draw in draws_of(20, 9)] == [5, 20]


def found(model: str, value: float) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 200)
    return [
        {
            "model": model,
            "seed": 0,
            "count": count,
            "draw": draw,
            "classes": {name: dict.fromkeys(MEASURES, value) for name in kinds()},
            "resampled": {kind: {name: (value + noise).tolist() for name in MEASURES} for kind in CLASSES},
        }
        for count in (5, 20)
        for draw in range(2)
    ]


def test_differences_are_of_the_same_draws() -> None:
    numbers = numbers_of([*found("both", 0.5), *found("mfcc", 0.3)])
    means = numbers[numbers["label"] == ""]
    other = means[means["model"] == "mfcc"]
    np.testing.assert_allclose(other[["more", "more_low", "more_high"]].to_numpy(float), -0.2, atol=1e-9)
    assert ((means["low"] < means["value"]) & (means["value"] < means["high"])).all()
    about = {"clips": {"learn": dict.fromkeys(kinds(), 20)}}
    said = sentences(with_enough_clips(numbers, about["clips"]["learn"]))
    assert "With 20 labels of words, `both` is above `mfcc` (20), in points of average precision" in said[2]
    few = with_enough_clips(numbers, {**dict.fromkeys(kinds(), 20), "dog": 19})
    assert set(few[few["kind"] == "sounds"]["count"]) == {5} and set(few[few["kind"] == "words"]["count"]) == {5, 20}


def test_an_interval_is_centred_on_its_value_where_the_draws_are_not() -> None:
    rows = found("both", 0.5)
    for row in rows:  # draws from 0.56 to 0.66, as those of average precision may be
        row["resampled"] = {kind: dict.fromkeys(MEASURES, np.linspace(0.56, 0.66, 201).tolist()) for kind in CLASSES}
    low = numbers_of(rows)["low"].dropna()
    high = numbers_of(rows)["high"].dropna()
    np.testing.assert_allclose(low, 2 * 0.5 - 0.6575, atol=1e-9)
    np.testing.assert_allclose(high, 0.5)  # 0.4375 by the mirror; the value is never outside


@pytest.mark.slow
def test_the_command_learns_detects_and_resumes(tmp_path: Path) -> None:
    pytest.importorskip("sed_eval", reason="HEAR's tools are not installed")
    audio = write_sets(tmp_path / "audio")
    arguments = ["--audio", audio, "--cache", tmp_path / "cache", "--no-progress", "--models", "logmel"]
    arguments += ["--labelled", 5, "--tested", 2, "--draws", 1, "-o"]

    def run(output: Path) -> str:
        options = [str(each) for each in (*arguments, output)]
        result = CliRunner().invoke(detection_command, options, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "| `logmel` |" in run(tmp_path / "results")
    numbers = pd.read_csv(tmp_path / "results" / "detection.csv")
    means = numbers[numbers["label"].isna()].set_index(["kind", "measure"])["value"]
    # Tones of ten pitches are learned from five labels; noises are all the same.
    assert means["words", "segment_ap"] > 0.5 > means["sounds", "segment_ap"]
    run(tmp_path / "again")
    assert (tmp_path / "again" / "detection.csv").read_bytes() == (tmp_path / "results" / "detection.csv").read_bytes()
