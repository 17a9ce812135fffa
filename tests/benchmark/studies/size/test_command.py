"""The command, from manifests to findings."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

import byola_hear
from benchmark.__main__ import run
from benchmark.comparison.page import load_section
from benchmark.studies.findings import read_numbers
from benchmark.studies.size.cells import shape_of
from benchmark.studies.size.command import command as size_command
from benchmark.studies.size.report import sentences, sized, tables
from byola_hear.pretraining.training.cost import operations_per_crop
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.utils.files import locked


def arguments_for(
    sounds: Path, folder: Path, steps: int = 3, first: str = "speech", volumes: str = "0.002"
) -> list[str]:
    return [
        str(sounds / f"{first}.csv"), str(sounds / "nonspeech.csv"), "--runs", str(folder / "runs"),
        "--widths", "32,64", "--hours", volumes, "--steps", str(steps), "--batch-size", "2",
        "--tasks", "drum_strokes", "--device", "cpu",
        "--audio", str(sounds), "--cache", str(folder / "cache"), "-o", str(folder / "out"), "--no-progress",
    ]  # fmt: skip


def test_a_table_of_two_tiny_runs(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            run(size_command, arguments_for(sounds, tmp_path), "size")
        output = capsys.readouterr()
        assert not stopped.value.code, output.err
    numbers = read_numbers(tmp_path / "out", "size")
    assert set(numbers["task"]) == {"drum_strokes", "mean"}
    trained = numbers.query("task == 'mean' and hours > 0").set_index("width")
    assert trained["crops"].tolist() == [6, 6]
    assert trained["features"].to_dict() == {32: 32 + 16, 64: 64 + 32}
    for width in (32, 64):
        # A cell is a checkpoint like any other.
        model = byola_hear.load_model(str(tmp_path / "runs" / f"width{width}-0.002h.safetensors"))
        assert model.config.encoder == shape_of(width)
        assert sum(each.numel() for each in model.encoder.parameters()) == trained.loc[width, "parameters"]
        assert model.config.training["crops"] == 6
    assert numbers["accuracy"].between(0, 100).all()
    assert sorted(numbers.query("hours == 0")["width"].unique()) == [32, 64]
    found = sentences(sized(numbers))
    assert "With 6 crops and one seed each" in found[0] and "at width 32 to" in found[0]
    assert all(each in output.out for each in found)
    assert any(block["kind"] == "figure" for block in load_section(tmp_path / "out" / "size.md").data()["blocks"])
    # Another recipe's networks, other manifests' audio and networks of other audio are refused.
    other = arguments_for(sounds, tmp_path, first="nonspeech")
    assert "trained with another recipe" in refused(arguments_for(sounds, tmp_path, steps=4), capsys)
    assert "0.002h.csv: drawn from other manifests" in refused(other, capsys)
    shutil.rmtree(tmp_path / "runs" / "audio")
    assert "width32-0.002h.safetensors: trained on other audio" in refused(other, capsys)


@pytest.mark.slow
def test_both_kinds_at_equal_compute(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--widths", "32", "--transformers", "16x1,64x8", "--method", "masked", "--petaflop", "0.00002"]
    with pytest.raises(SystemExit) as stopped:
        run(size_command, [*arguments_for(sounds, tmp_path), *options], "size")
    output = capsys.readouterr()
    assert not stopped.value.code, output.err
    numbers = read_numbers(tmp_path / "out", "size_compute")
    trained = numbers.query("task == 'mean' and hours > 0").set_index(["width", "layers"])["crops"]
    # More layers take more operations for each crop, so they get fewer crops.
    assert trained[16, 1] > trained[64, 8] >= 2 and trained[32, 0] >= 2
    model = byola_hear.load_model(str(tmp_path / "runs" / "transformer64x8-0.002h.safetensors"))
    recipe = Recipe.from_dict(model.config.training["recipe"])
    assert 0.5 * 2e10 < trained[64, 8] * operations_per_crop(recipe) <= 2e10
    found = sentences(sized(numbers))
    assert "transformer 64 × 8" in found[0] and " to " in found[0].split("crops")[0]


def test_both_kinds_have_their_own_range_and_are_compared() -> None:
    sizes = {(32, 0): 70.0, (64, 0): 80.0, (16, 2): 60.0, (16, 4): 76.0}
    rows = [
        {"width": width, "layers": layers, "hours": 5.0, "crops": 6, "task": "mean", "accuracy": value}
        for (width, layers), value in sizes.items()
    ]
    found = sentences(sized(pd.DataFrame(rows).assign(low=lambda each: each["accuracy"], high=100.0)))
    assert found[0] == (
        "With 6 crops and one seed each, mean accuracy goes from 70.0 % at width 32 to 80.0 % at width 64, and from "
        "60.0 % at transformer 16 × 2 to 76.0 % at transformer 16 × 4."
    )
    assert found[1] == (
        "With 5 h, transformer 16 × 4, the highest of the transformers, is 4.0 points below width 64, the highest of "
        "the convolutional networks."
    )


def test_what_does_not_differ_clearly_from_the_highest_is_named() -> None:
    rows = [
        {
            "width": width,
            "hours": hours,
            "crops": 6,
            "task": "mean",
            "accuracy": value,
            "low": value - 1,
            "high": value + 1,
        }
        for width, values in ((32, (78.5, 78.7)), (64, (79.2, 80.0)))
        for hours, value in zip((1.0, 5.0), values)
    ]
    found = sentences(sized(pd.DataFrame(rows)))
    # 78.7 is below the interval of 80.0 ± 1.0, but that of the difference is 1.3 ± 1.4.
    level = "width 32 with 5 h (78.7 %) and width 64 with 1 h (79.2 %)"
    assert found[1] == f"The highest is width 64 with 5 h: 80.0 ± 1.0 %, with no clear difference from {level}."


def test_the_table_says_how_long_a_network_was_trained() -> None:
    rows = [
        {"width": width, "hours": 1.0, "crops": 6, "minutes": minutes, "task": "mean"}
        for width, minutes in ((32, 3.3), (64, 25.1))
    ]
    text = tables(sized(pd.DataFrame(rows).assign(parameters=9, features=9, accuracy=70.0, low=69.0, high=71.0)))[1]
    assert "trained on 6 crops; the 2 runs took 28 minutes, 3 to 25 each." in text


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_two_processes_do_not_train_in_one_folder(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").mkdir()
    with open(tmp_path / "runs" / "lock", "a") as lock:
        assert locked(lock)
        assert "another process is training in this folder" in refused(arguments_for(sounds, tmp_path), capsys)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        run(size_command, arguments, "size")
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_too_little_audio_is_reported_before_any_network_is_trained(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "hours to draw from" in refused(arguments_for(sounds, tmp_path, volumes="0.002,1"), capsys)
    assert not list((tmp_path / "runs").glob("width*"))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--device", "gpu", "expected a device such as 'cpu'"),
        ("--transformers", "192", "expected --transformers such as 192x6,384x6, got '192'"),
        ("--petaflop", "1e-9", "expected compute for at least one step"),
        ("--hours", "nan", "positive hours, got [32, 64] and [nan]"),
        ("--hours", "1,inf", "positive hours"),
        ("--seed", "not a manifest", "expected columns path"),
    ],
)
def test_wrong_options_are_reported_before_sets_are_decoded(
    option: str,
    value: str,
    message: str,
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmark.studies.size.command.plan", lambda *_, **__: pytest.fail("decoded all the same"))
    arguments = arguments_for(sounds, tmp_path)
    if value == "not a manifest":
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        arguments[0] = str(tmp_path / "other.csv")
    else:
        arguments += [option, value]
    assert message in refused(arguments, capsys)
