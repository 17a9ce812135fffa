"""Transfer with a known answer: a shift that was planted, and one that was not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.datasets.labelled_set import LabelledSet
from benchmark.studies.study import set_of_clips
from benchmark.studies.transfer.command import transfer_command
from benchmark.studies.transfer.conditions import TRANSFERS, find_transfers
from benchmark.studies.transfer.matrix import Condition, balanced_accuracy, folds_of, transfer_matrix
from benchmark.studies.transfer.report import report, sentences
from tests.benchmark.made_sets import write_all_sets


def condition(seed: int, turned: bool = False) -> Condition:
    """Two classes that lie apart along the first axis, the other way round where turned."""
    rng = np.random.default_rng(seed)
    labels = np.array(list("ab") * 40)
    features = rng.standard_normal((80, 5)).astype(np.float32)
    features[:, 0] += (60 * (labels == "a") - 30) * (-1 if turned else 1)
    return Condition(features, labels, np.array([f"{seed}-{index // 2}" for index in range(80)]))


def matrix_of(**conditions: Condition) -> dict[tuple[str, str], float]:
    return {(row["trained"], row["tested"]): row["value"] for row in transfer_matrix(conditions, 0, draws=20)}


def test_shared_features_carry_over_and_a_planted_rotation_does_not() -> None:
    found = matrix_of(one=condition(0), same=condition(1), turned=condition(2, turned=True))
    alike = [("one", "one"), ("same", "same"), ("turned", "turned"), ("one", "same"), ("same", "one")]
    assert min(found[pair] for pair in alike) > 95
    assert max(found["one", "turned"], found["turned", "same"]) < 5


def test_noise_is_at_chance_and_within_its_interval() -> None:
    noise = Condition(np.roll(condition(0).features, 1, 0) * [0, 1, 1, 1, 1], condition(0).labels, condition(0).groups)
    row = transfer_matrix({"noise": noise, "other": condition(1)}, 0)[0]
    assert row["chance"] == 50 and row["low"] < 50 < row["high"] and row["clips"] == 80


def test_a_group_is_never_both_trained_and_tested_on() -> None:
    # A feature that names the group: a probe that saw the group elsewhere would know the label.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 2)
    labels = rng.permutation(np.repeat(list("ab"), 20))[groups]
    features = (np.eye(40, dtype=np.float32) * 10)[groups]
    both = Condition(features, labels, groups.astype(str))
    found = matrix_of(first=both, second=both)
    assert max(found.values()) < 75
    apart = Condition(features, labels, np.array([f"x{group}" for group in range(80)]))
    assert min(matrix_of(first=apart, second=apart).values()) > 75


def test_pairs_that_are_not_wanted_are_left_out() -> None:
    found = transfer_matrix({"a": condition(0), "b": condition(1)}, 0, lambda trained, tested: False, 10)
    assert [(row["trained"], row["tested"]) for row in found] == [("a", "a"), ("b", "b")]


def test_conditions_that_cannot_be_compared_are_refused() -> None:
    other = Condition(condition(1).features, np.array(list("xy") * 40), condition(1).groups)
    with pytest.raises(ValueError, match="at least two labels that all conditions have"):
        transfer_matrix({"a": condition(0), "b": other}, 0)
    with pytest.raises(ValueError, match="at least 4 groups to split between, found 2"):
        folds_of(np.array(list("abab")), np.array(list("xxyy")), 0)
    with pytest.raises(ValueError, match="got 'accents'"):
        find_transfers("accents")
    assert balanced_accuracy(np.array([True, False]), np.array(["a", "b"]), np.array([1.0, 0.0])) == 100


def made(name: str, **columns: list[str]) -> LabelledSet:
    manifest = pd.DataFrame(columns)
    return set_of_clips(name, manifest, [np.zeros(4, np.float32)] * len(manifest), 16000)


def test_digits_are_found_among_the_other_words() -> None:
    commands = made(
        "speech_commands_12",
        file=["_unknown__seven_1_nohash_0.opus", "_unknown__tree_2_nohash_0.opus", "yes_3_nohash_0.opus"],
        label=["unknown", "unknown", "yes"],
        speaker=["1", "2", "3"],
    )
    spoken = made("spoken_digits", file=["7_jackson_0.opus"], label=["7"], speaker=["jackson"])
    found = TRANSFERS["digits"].conditions({"spoken_digits": spoken, "speech_commands_12": commands})
    words = found["speech commands"][0]
    assert words.rows.tolist() == [0] and words.labels.tolist() == ["7"]


def test_detection_is_tested_on_other_sets() -> None:
    apart = TRANSFERS["detection"].apart
    assert apart is not None
    assert apart("digits | ESC-50") & apart("languages | ESC-50")
    assert not apart("digits | ESC-50") & apart("languages | drums")


def test_a_set_without_a_column_is_named() -> None:
    drums = made("drum_strokes", file=["a.wav"], label=["kick"], stroke=["1"])
    with pytest.raises(
        ValueError, match="drum_strokes: expected a column 'microphone' in the manifest, found file, la"
    ):
        TRANSFERS["microphones"].conditions({"drum_strokes": drums})


def test_the_kept_share_is_reported_for_transfers_above_chance() -> None:
    def written(**own: tuple[float, float]) -> str:
        rows = [
            {"model": "both", "transfer": name, "trained": "a", "tested": tested, "value": value, "low": value - margin}
            for name, (margin, another) in own.items()
            for tested, value in (("a", 70.0), ("b", another))
        ]
        return " ".join(sentences(pd.DataFrame(rows).assign(high=100, chance=50)))

    assert "kept" not in written(near=(5, 65))
    assert "kept" not in written(near=(5, 65), none=(25, 69))
    found = written(near=(5, 65), none=(25, 69), far=(5, 60))
    assert "the largest share is kept for near (75 %), the smallest for far (50 %), among the 2 whose" in found


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
