"""A kept table is completed: only what it lacks is measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmark.comparison.archive import pack, unpack
from benchmark.comparison.command import keep_results, write_comparison
from benchmark.evaluation import command as command_module
from benchmark.evaluation import complete as complete_module
from benchmark.evaluation.command import run_command
from benchmark.evaluation.complete import complete_command
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared
from tests.benchmark.evaluation.test_command import row

Calls = Callable[[], list[str]]


@pytest.fixture
def start(
    heareval: Calls, make_task: Callable[..., Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """A command on two tasks and on models that the stand-in knows, with an empty cache at each call."""
    monkeypatch.setattr(command_module, "find", lambda names: ["digits", "notes"])
    monkeypatch.setattr(command_module, "prepare", lambda name, *others: make_task(name))
    monkeypatch.setattr(
        command_module,
        "compare_outcomes",
        lambda output, tasks, progress: write_comparison(output, tasks, maps=False),
    )
    asked: list[list[str]] = []

    def call(command: object, *arguments: str, rows: list[ModelRow]) -> Result:
        def chosen(names: list[str]) -> list[ModelRow]:
            asked.append(names)
            return rows

        monkeypatch.setattr(command_module, "model_rows", chosen)
        cache = tmp_path / f"cache{len(asked)}"
        return CliRunner().invoke(command, [*arguments, "--cache", str(cache), "--no-progress"])  # type: ignore[arg-type]

    return call


def test_only_what_is_missing_is_measured(
    start: Callable[..., Result], heareval: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, first, second = tmp_path / "results", tmp_path / "first", tmp_path / "second"
    results.mkdir()
    rows = [row("both"), row("logmel"), row("vggish", missing="needs weights")]
    done = start(run_command, "--grid", "fast", "--grid-points", "2", "-o", str(first), rows=rows)
    assert done.exit_code == 0, done.output
    keep_results(first, results)
    (results / "tasks.json").rename(results / "mini.json")
    pack(first / "outcomes", results / "mini_outcomes.zip")
    before = json.loads((results / "mini.json").read_text())
    n_before = len(heareval())
    assert n_before == 8
    arguments = ("--suite", "mini", "--models", "musicnn", "-o", str(second), "--results", str(results))
    rows = [row("both"), row("logmel", missing="needs a package"), row("vggish"), row("musicnn")]
    done = start(complete_command, *arguments, rows=rows)
    assert done.exit_code == 0, done.output
    models = {call.split()[1] for call in heareval()[n_before:] if call.startswith("embed")}
    assert models == {"vggish_module", "musicnn_module"}
    assert all("--grid fast --grid-points 2" in call for call in heareval()[n_before:] if call.startswith("predict"))
    after = json.loads((results / "tasks.json").read_text())
    cells = {each["name"]: each["cells"] for each in after["rows"]}
    assert {name: sorted(each) for name, each in cells.items()} == {
        name: ["digits", "notes"] for name in ("both", "logmel", "vggish", "musicnn")
    }
    assert cells["logmel"] == next(each["cells"] for each in before["rows"] if each["name"] == "logmel")
    assert len(unpack(results / "mini_outcomes.zip", tmp_path / "unpacked")) == 8


def test_cells_without_outcomes_stay_as_they_are(start: Callable[..., Result], heareval: Calls, tmp_path: Path) -> None:
    results, first, second = tmp_path / "results", tmp_path / "first", tmp_path / "second"
    results.mkdir()
    done = start(run_command, "--grid", "fast", "--grid-points", "2", "-o", str(first), rows=[row("both"), row("mfcc")])
    assert done.exit_code == 0, done.output
    keep_results(first, results)
    (results / "tasks.json").rename(results / "mini.json")
    before = json.loads((results / "mini.json").read_text())
    n_before = len(heareval())
    arguments = ("--suite", "mini", "-o", str(second), "--results", str(results))
    rows = [row("both"), row("mfcc", identity="other weights")]
    done = start(complete_command, *arguments, rows=rows)
    assert done.exit_code == 0, done.output
    assert "2 done, 0 cached, 2 kept, 0 failed" in done.output
    models = {call.split()[1] for call in heareval()[n_before:] if call.startswith("embed")}
    assert models == {"mfcc_module"}
    after = json.loads((results / "tasks.json").read_text())
    both, mfcc = ({each["name"]: each for each in after["rows"]}[name] for name in ("both", "mfcc"))
    assert both["cells"] == before["rows"][0]["cells"] and both["status"] == "ok"
    assert mfcc["identity"] == "other weights of mfcc"
    assert len(unpack(results / "mini_outcomes.zip", tmp_path / "unpacked")) == 2


def test_other_files_are_not_taken_for_outcomes(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="expected outcomes that the benchmark packed"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="expected the kept table of the suite hear"):
        complete_module._kept(tmp_path, "hear")
