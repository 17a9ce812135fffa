"""The studies' common options, the command in their results, and early errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from benchmark.__main__ import main
from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.reporting.command_line import command_line
from benchmark.studies.onsets.command import command as time_command
from benchmark.studies.study import seconds_bar, study_options
from benchmark.studies.study_setup import Setup


def setup(folder: Path) -> Setup:
    options: dict[str, Any] = {"models": "logmel", "audio": None, "output": folder / "new" / "results"}
    return Setup.of(cache=folder / "cache", no_progress=True, **options)


def test_the_command_has_the_options_that_affect_numbers_and_no_folders(tmp_path: Path) -> None:
    (tmp_path / "a set.csv").touch()

    @click.command("made")
    @click.argument("manifests", nargs=-1, type=click.Path(path_type=Path))
    @study_options()
    @click.option("--draws", default=20)
    @click.option("--ratings", multiple=True, type=click.Path(path_type=Path))
    @click.option("--quick", is_flag=True)
    def made(**options: object) -> None:
        click.echo(command_line())

    given = [
        tmp_path / "a set.csv",
        "--models",
        f"both, {tmp_path}/a=1/one.safetensors,vggish={tmp_path}/w.pth,runs/two.pt",
    ]
    given += ["--seed", 0, "--ratings", tmp_path / "anna.csv", "--ratings", tmp_path / "ben.csv", "--quick"]
    given += ["--cache", tmp_path, "--audio", tmp_path, "-o", tmp_path, "--no-progress"]
    assert CliRunner().invoke(made, [str(each) for each in given]).output.strip() == (
        "python -m benchmark made 'a set.csv' --models both,one.safetensors,vggish=w.pth,runs/two.pt --seed 0 "
        "--ratings anna.csv --ratings ben.csv --quick"
    )
    assert CliRunner().invoke(made, []).output.strip() == "python -m benchmark made"


def test_the_command_is_the_one_that_was_typed() -> None:
    @click.command("run")
    @click.option("--tasks")
    def inner(tasks: str) -> None:
        click.echo(command_line())

    @click.command("complete")
    @click.option("--models")
    @click.pass_context
    def outer(context: click.Context, models: str) -> None:
        context.invoke(inner, tasks="all")

    group = click.Group("benchmark", {"complete": outer})
    found = CliRunner().invoke(group, ["complete", "--models", "musicnn"]).output.strip()
    assert found == "python -m benchmark complete --models musicnn"


def test_a_study_without_randomness_has_no_seed_and_one_of_networks_no_baselines() -> None:
    shown = CliRunner().invoke(time_command, ["--help"]).output
    assert "--models" in shown and not any(each in shown for each in ("--seed", "--untrained-seeds", "baselines"))


def test_the_output_folder_is_created_and_tasks_use_the_named_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "elsewhere")
    made = setup(tmp_path)
    assert not made.output.exists()
    assert made.rows(list) and made.output.is_dir()
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "cache")


def test_a_missing_matplotlib_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="figures need matplotlib"):
        setup(tmp_path)


def test_a_bar_can_exceed_its_total(capsys: pytest.CaptureFixture[str]) -> None:
    with seconds_bar("made", 0.5, shown=True) as bar:
        bar.update(0.5)
        bar.refresh()
    assert "0/1 s of audio" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cka", "few-shot", "rsa", "transfer"])
def test_models_are_checked_before_sets(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--models", "spech", "--audio", str(tmp_path / "none"), "--cache", str(tmp_path / "cache")])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: no model is called 'spech'")
