"""A kept table is completed: only what it lacks is measured."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmark.comparison.archive import pack, unpack
from benchmark.comparison.command import keep_results, write_comparison
from benchmark.evaluation import command as command_module
from benchmark.evaluation import complete as complete_module
from benchmark.evaluation.command import command as run_command
from benchmark.evaluation.complete import command as complete_command
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import SUITES
from tests.benchmark.evaluation.test_command import row

Calls = Callable[[], list[str]]


@pytest.fixture
def start(
    heareval: Calls, make_task: Callable[..., Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """A command on a suite of two tasks and on models that the stand-in knows, with an empty cache at each call."""
    monkeypatch.setitem(SUITES, "mini", ("digits", "notes"))
    monkeypatch.setattr(command_module, "prepare", lambda name, *others: make_task(name))
    monkeypatch.setattr(
        command_module,
        "compare_outcomes",
        lambda output, tasks, progress: write_comparison(output, tasks, maps=False),
    )
    asked: list[list[str]] = []

    def call(command: object, *arguments: str, rows: list[ModelRow], expected: list[str] | None = None) -> Result:
        def chosen(names: list[str]) -> list[ModelRow]:
            asked.append(names)
            assert expected is None or names == expected
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
    pack(first / "outcomes", results / "mini_outcomes.zip", SUITES["mini"])
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
    after = json.loads((results / "mini.json").read_text())
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
    before = json.loads((results / "mini.json").read_text())
    n_before = len(heareval())
    arguments = ("--suite", "mini", "-o", str(second), "--results", str(results))
    rows = [row("both"), row("mfcc", identity="other weights")]
    done = start(complete_command, *arguments, rows=rows)
    assert done.exit_code == 0, done.output
    assert "2 done, 0 cached, 2 kept, 0 failed" in done.output
    models = {call.split()[1] for call in heareval()[n_before:] if call.startswith("embed")}
    assert models == {"mfcc_module"}
    after = json.loads((results / "mini.json").read_text())
    both, mfcc = ({each["name"]: each for each in after["rows"]}[name] for name in ("both", "mfcc"))
    assert both["cells"] == before["rows"][0]["cells"] and both["status"] == "ok"
    assert mfcc["identity"] == "other weights of mfcc"
    assert len(unpack(results / "mini_outcomes.zip", tmp_path / "unpacked")) == 2


@pytest.fixture
def kept(start: Callable[..., Result], tmp_path: Path) -> Path:
    """A folder of results with the kept table and outcomes of two models."""
    results, first = tmp_path / "results", tmp_path / "first"
    results.mkdir()
    rows = [row("both"), row("wav2vec2=large")]
    done = start(run_command, "--grid", "fast", "--grid-points", "2", "-o", str(first), rows=rows)
    assert done.exit_code == 0, done.output
    keep_results(first, results)
    pack(first / "outcomes", results / "mini_outcomes.zip", SUITES["mini"])
    return results


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_kept_table_loses_no_task(
    start: Callable[..., Result],
    kept: Path,
    heareval: Calls,
    make_task: Callable[..., Prepared],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, n_before = contents(kept), len(heareval())
    arguments = ("--suite", "mini", "-o", str(tmp_path / "second"), "--results", str(kept))
    weights = ("--models", "wav2vec2=large")
    rows = [row("both"), row("wav2vec2=large")]

    def without_notes(name: str, *others: object) -> Prepared:
        if name == "notes":
            raise FileNotFoundError("no audio of notes")
        return make_task(name)

    def with_other_notes(name: str, *others: object) -> Prepared:
        task = make_task(name)
        return dataclasses.replace(task, sha256="other clips") if name == "notes" else task

    refused = start(complete_command, *arguments, rows=rows)
    assert isinstance(refused.exception, ValueError)
    assert "expected the weights of wav2vec2=large" in str(refused.exception)
    monkeypatch.setattr(command_module, "prepare", without_notes)
    refused = start(complete_command, *arguments, *weights, rows=rows)
    assert isinstance(refused.exception, ValueError)
    assert "1 can't be prepared: notes: no audio of notes" in str(refused.exception)
    monkeypatch.setattr(command_module, "prepare", with_other_notes)
    refused = start(complete_command, *arguments, *weights, rows=rows)
    assert isinstance(refused.exception, ValueError)
    assert "got others in notes; --measure-changed" in str(refused.exception)
    assert contents(kept) == before and len(heareval()) == n_before
    done = start(complete_command, *arguments, *weights, "--measure-changed", rows=rows)
    assert done.exit_code == 0, done.output
    assert {call.split()[2] for call in heareval()[n_before:] if call.startswith("embed")} == {"notes"}
    columns = {each["name"]: each["sha256"] for each in json.loads((kept / "mini.json").read_text())["columns"]}
    assert list(columns) == ["digits", "notes"] and columns["notes"] == "other clips"


def test_a_checkpoint_in_the_kept_table_is_named_again(
    start: Callable[..., Result], heareval: Calls, tmp_path: Path
) -> None:
    results, checkpoint = tmp_path / "results", tmp_path / "mine.safetensors"
    results.mkdir()
    checkpoint.touch()
    rows = [row("both"), row("mine")]
    done = start(run_command, "--grid", "fast", "--grid-points", "2", "-o", str(tmp_path / "first"), rows=rows)
    assert done.exit_code == 0, done.output
    keep_results(tmp_path / "first", results)
    before, n_before = contents(results), len(heareval())
    arguments = ("--suite", "mini", "-o", str(tmp_path / "second"), "--results", str(results))
    refused = start(complete_command, *arguments, rows=rows)
    assert isinstance(refused.exception, ValueError)
    assert "expected the weights of mine" in str(refused.exception)
    assert "--models FOLDER/mine.safetensors" in str(refused.exception)
    assert contents(results) == before
    named = ["both", str(checkpoint)]
    done = start(complete_command, *arguments, "--models", str(checkpoint), rows=rows, expected=named)
    assert done.exit_code == 0, done.output
    assert "0 done, 0 cached, 4 kept, 0 failed" in done.output and len(heareval()) == n_before


def test_another_seed_is_a_row_of_its_own(start: Callable[..., Result], tmp_path: Path) -> None:
    results, rows = tmp_path / "results", [row("both"), row("untrained")]
    results.mkdir()
    done = start(run_command, "--grid", "fast", "--grid-points", "2", "-o", str(tmp_path / "first"), rows=rows)
    assert done.exit_code == 0, done.output
    keep_results(tmp_path / "first", results)
    named, rows = ["both", "untrained", "untrained=1"], [*rows, row("untrained=1")]
    # The second time, the name of the row is enough.
    for folder, asked in (("second", ("--models", "untrained=1")), ("third", ())):
        arguments = ("--suite", "mini", "-o", str(tmp_path / folder), "--results", str(results), *asked)
        done = start(complete_command, *arguments, rows=rows, expected=named)
        assert done.exit_code == 0, done.output
        kept = json.loads((results / "mini.json").read_text())["rows"]
        assert {each["name"]: sorted(each["cells"]) for each in kept} == {name: ["digits", "notes"] for name in named}


def test_each_suite_has_a_folder_and_outcomes_of_its_own(
    start: Callable[..., Result], kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SUITES, "hear-small", ("birds",))
    rows = [row("both"), row("wav2vec2=large")]
    done = start(run_command, "--suite", "hear-small", "--grid", "fast", "--grid-points", "2", "-o", "birds", rows=rows)
    assert done.exit_code == 0, done.output
    keep_results(tmp_path / "birds", kept)
    pack(tmp_path / "birds" / "outcomes", kept / "hear-small_outcomes.zip", ("birds",))
    assert pack(tmp_path / "first" / "outcomes", tmp_path / "one.zip", ("notes",)) == 2
    before = contents(kept)
    arguments = ("--models", "wav2vec2=large", "--results", str(kept))
    refused = start(complete_command, "--suite", "hear-small", "-o", "first", *arguments, rows=rows)
    assert isinstance(refused.exception, ValueError) and "found a run of digits, notes in first" in str(
        refused.exception
    )
    assert contents(kept) == before and len(list(Path("first").glob("outcomes/*/*.npz"))) == 4
    for suite, count in (("mini", 4), ("hear-small", 2)):
        done = start(complete_command, "--suite", suite, *arguments, rows=rows)
        assert done.exit_code == 0, done.output
        assert Path("build/complete", suite, "page.html").is_file()
        assert len(unpack(kept / f"{suite}_outcomes.zip", tmp_path / suite)) == count


def test_other_files_are_not_taken_for_outcomes(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="expected outcomes that the benchmark packed"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="expected the kept table of the suite hear"):
        complete_module._kept(tmp_path, "hear")
