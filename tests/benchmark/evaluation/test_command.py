"""The command: many cells, failures in their own row, an output that holds together, and a clean end."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from benchmark.comparison.outcome import load_outcome
from benchmark.datasets.labelled_set import CACHE_VARIABLE, cache_folder
from benchmark.evaluation import command as command_module
from benchmark.evaluation.cell import Cache, RunCell
from benchmark.evaluation.command import command as run_command
from benchmark.evaluation.command import terminated_as_interrupted
from benchmark.evaluation.processes import Failed, Processes, last_line
from benchmark.evaluation.scheduler import run_cells
from benchmark.models.heareval_rows import ModelRow, model_rows
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import prepare
from tests import forked
from tests.processes import working_in

Calls = Callable[[], list[str]]


def row(name: str, missing: str = "", identity: str = "weights") -> ModelRow:
    return ModelRow(name, f"{name}_module", "", "" if missing else f"{identity} of {name}", 16000, (2, 2), "", missing)


@pytest.fixture
def run(
    heareval: Calls, make_task: Callable[..., Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """The command, on tasks and models that the stand-in knows; ``lost`` is a task that can't be built."""

    def prepare(name: str, tasks_dir: Path, sources: Path | None, progress: bool) -> Prepared:
        if name == "lost":
            raise FileNotFoundError("no audio of lost")
        return make_task(name)

    compared: list[Path] = []
    monkeypatch.setattr(command_module, "find", list)
    monkeypatch.setattr(command_module, "prepare", prepare)
    monkeypatch.setattr(command_module, "compare_outcomes", lambda output, tasks, progress: compared.append(output))

    def start(*arguments: str, rows: list[ModelRow]) -> Result:
        monkeypatch.setattr(command_module, "model_rows", lambda names: rows)
        common = ["-o", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--no-progress"]
        result = CliRunner().invoke(run_command, [*arguments, *common])
        assert compared in ([], [tmp_path / "out"])
        compared.clear()
        return result

    return start


def about(folder: Path) -> dict[str, Any]:
    run: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return run


def test_failures_stay_in_their_cells(
    run: Callable[..., Result], heareval: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_FAIL", "birds")
    rows = [row("a"), row("gone", missing="needs the package gone: pip install gone")]
    result = run("--tasks", "digits,birds,lost", rows=rows)
    assert result.exit_code == 1, result.output
    assert "failed: a on birds: AssertionError: nan in the embeddings" in result.output
    assert "pip install gone" in result.output and "no audio of lost" in result.output
    out = tmp_path / "out"
    status = {(cell["model"], cell["task"]): cell["status"] for cell in about(out)["cells"]}
    assert status == {
        ("a", "digits"): "done",
        ("a", "birds"): "failed",
        ("a", "lost"): "unavailable",
        **{("gone", task): "unavailable" for task in ("digits", "birds", "lost")},
    }
    log = next(cell["log"] for cell in about(out)["cells"] if cell["status"] == "failed")
    assert "nan in the embeddings" in (out / log).read_text()
    assert [path.relative_to(out / "outcomes").as_posix() for path in out.glob("outcomes/*/*")] == ["a/digits.npz"]
    scores = pd.read_csv(out / "scores.csv")
    assert scores[["task", "model", "fold", "metric", "score", "n_files", "grid", "grid_points"]].values.tolist() == [
        ["digits", "a", "test", "top1_acc", 0.875, 8, "default", 8]
    ]
    # What failed is tried again, what was done is not; the embeddings of the one that failed are still there.
    monkeypatch.delenv("STUB_FAIL")
    n_before = len(heareval())
    assert run("--tasks", "digits,birds", rows=rows[:1]).exit_code == 0
    assert [call.split()[:2] for call in heareval()[n_before:]] == [["predict", "birds"]]
    status = {(cell["model"], cell["task"]): cell["status"] for cell in about(out)["cells"]}
    assert (status["a", "digits"], status["a", "birds"], status["gone", "birds"]) == ("cached", "done", "unavailable")
    # Other settings don't go into the same folder.
    result = run("--tasks", "digits", "--grid", "fast", rows=rows[:1])
    assert isinstance(result.exception, ValueError) and "choose another folder" in str(result.exception)
    # A model that has changed takes its row's other outcomes with it.
    result = run("--tasks", "digits", rows=[row("a", identity="new weights")])
    assert "removed an outdated outcome: a on birds" in result.output
    assert {load_outcome(path).model_identity for path in out.glob("outcomes/a/*")} == {"new weights of a"}


def test_nothing_measured_is_no_success(run: Callable[..., Result]) -> None:
    assert run("--tasks", "lost", rows=[row("a")]).exit_code == 1
    assert run("--tasks", "digits", rows=[row("gone", missing="needs the package gone")]).exit_code == 1


def test_rows_of_the_same_weights_take_turns(run: Callable[..., Result], heareval: Calls, tmp_path: Path) -> None:
    rows = [row("a"), dataclasses.replace(row("a"), name="copy")]
    assert run("--tasks", "digits", "--jobs", "2", rows=rows).exit_code == 0
    assert sorted(cell["status"] for cell in about(tmp_path / "out")["cells"]) == ["cached", "done"]
    assert [call.split()[0] for call in heareval()] == ["embed", "predict"]


def test_run_json_names_the_versions_that_made_the_numbers(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task, version in (("digits", "1.0"), ("birds", "2.0")):
        monkeypatch.setattr("benchmark.evaluation.cell.versions", lambda version=version: {"torch": version})
        assert run("--tasks", task, rows=[row("a")]).exit_code == 0
    assert about(tmp_path / "out")["versions"] == {"torch": "1.0, 2.0"}


@pytest.mark.parametrize("content", ["half", '{"models": {}, "tasks": {}, "cells": [{"model": "a"}]}'])
def test_a_damaged_run_is_reported_before_anything_is_measured(
    run: Callable[..., Result], heareval: Calls, tmp_path: Path, content: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text(content)
    result = run("--tasks", "digits", rows=[row("a")])
    assert isinstance(result.exception, ValueError)
    assert "expected a file written by `python -m benchmark run`" in str(result.exception)
    assert heareval() == []


def test_the_cache_named_is_that_of_tasks_and_weights_too(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another"))
    asked: list[Path] = []

    def prepare_and_note(*arguments: Any) -> Prepared:
        asked.append(cache_folder())
        return prepare(*arguments)

    monkeypatch.setattr(command_module, "prepare", prepare_and_note)
    run("--tasks", "digits", rows=[row("a")])
    assert asked == [tmp_path / "cache"] and not (tmp_path / "another").exists()


def test_wrong_requests_are_one_error(
    heareval: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start = CliRunner().invoke
    result = start(run_command, ["--suite", "everything", "-o", str(tmp_path)])
    assert isinstance(result.exception, ValueError) and "hear-small, got 'everything'" in str(result.exception)
    with pytest.raises(ValueError, match="expected each model once, got logmel twice"):
        model_rows(["logmel", "logmel"])
    with pytest.raises(ValueError, match="at least one model"):
        model_rows([])
    result = start(run_command, ["--tasks", "esc50", "--models", "boht", "-o", str(tmp_path / "new")])
    assert isinstance(result.exception, ValueError) and "boht" in str(result.exception)
    for tasks in (" , ", ""):
        result = start(run_command, ["--tasks", tasks, "-o", str(tmp_path / "new")])
        assert isinstance(result.exception, ValueError) and "at least one task" in str(result.exception)
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr("benchmark.evaluation.settings.find_spec", lambda name: None)
    result = start(run_command, ["--tasks", "esc50", "--models", "logmel", "-o", str(tmp_path)])
    assert isinstance(result.exception, ModuleNotFoundError) and "make hear" in str(result.exception)


def test_cheap_cells_first(
    heareval: Calls,
    make_cell: Callable[..., RunCell],
    make_task: Callable[..., Prepared],
    cache: Cache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = dataclasses.replace(make_cell("large"), task=make_task("large", 5000))
    order: list[str] = []
    monkeypatch.setattr("benchmark.evaluation.scheduler.measure", lambda cell, *_: order.append(cell.task.name))
    assert run_cells([large, make_cell("small")], cache, 1, False, lambda *_: None, False)
    assert order == ["small", "large"]


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_interrupted_leaves_no_process(
    heareval: Calls, make_cell: Callable[..., RunCell], cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = make_cell()

    def interrupted() -> int:
        with terminated_as_interrupted():
            return 0 if run_cells([cell], cache, 2, False, lambda *_: None, False) else 3

    with monkeypatch.context() as asleep:
        asleep.setenv("STUB_SLEEP", "predict digits")
        parent = forked.start(interrupted)
    end = time.monotonic() + 180
    while not any(call.startswith("predict") for call in heareval()):
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(parent, signal.SIGTERM)
    assert forked.wait(parent) == 3
    assert not list((cache.folder / "work").iterdir()) and not cache.outcome(cell).exists()
    assert not working_in(cache.folder)


def test_last_line_of_a_command_is_its_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(Failed, match="^ValueError: no$"):
        Processes().run(["-c", "print('working'); raise ValueError('no')"], log, tmp_path)
    assert log.read_text().startswith("$ python -c print('working')")
    assert last_line(log, 10**6) == ""
    with pytest.raises(Failed, match="exit status 3"):
        Processes().run(["-c", "raise SystemExit(3)"], log, tmp_path)
