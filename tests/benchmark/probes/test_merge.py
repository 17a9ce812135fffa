"""A table of the probe grows by tasks and models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmark.probes.command import command, write_merged
from benchmark.probes.merge import merged, merged_csv
from benchmark.probes.probe import TaskResult
from benchmark.probes.table import Row, csv_table, document_of, markdown_table


def row(name: str, *tasks: str, missing: str = "") -> Row:
    results = {task: TaskResult(task, ["1", "2"], [60.0, 70.0], [1.0, 1.0], [50, 50]) for task in tasks}
    return Row(name, f"note of {name}", [results] if tasks else [], 0, missing)


def about(*models: str, **others: Any) -> dict[str, Any]:
    known = {"parts": "test", "seed": 0, "max_clips": None, "commit": "c", "time": "t", "hardware": "h", "audio": {}}
    return {**known, "extractors": {name: [f"{name}-1"] for name in models}, **others}


BEFORE = [row("both", "esc50", "esc10"), row("yamnet", "esc50", "esc10"), row("vggish", missing="needs weights")]
ADDED = [row("both", "emodb"), row("vggish", "esc50", "esc10", "emodb"), row("musicnn", "emodb")]


def test_tasks_and_models_are_added() -> None:
    later = about("both", "vggish", "musicnn", audio={"emodb": "hash"})
    document = merged(document_of(BEFORE, about("both", "yamnet")), document_of(ADDED, later))
    whole = document_of([row("both", "esc50", "esc10", "emodb")], about("both"))
    models = document["models"]
    assert models["both"] == whole["models"]["both"]  # as if measured at once, with the interval of the mean
    assert models["vggish"]["mean"] == 65 and models["vggish"]["missing"] is None
    assert models["yamnet"]["mean"] is models["musicnn"]["mean"] is None
    lines = markdown_table(document).splitlines()
    assert lines[0] == "| model | esc50 | esc10 | emotion | mean |"
    assert lines[3].endswith("| – | – |") and lines[3].startswith("| yamnet | **65.0")
    assert lines[-1].endswith("Completed at commit c on t, h: emotion of both, vggish, musicnn.")


def test_a_task_of_the_new_models_alone_is_a_column() -> None:
    later = about("musicnn", audio={"emodb": "hash"})
    before = document_of(BEFORE, about("both", "yamnet"))
    lines = markdown_table(merged(before, document_of([row("musicnn", "emodb")], later))).splitlines()
    assert lines[0] == "| model | esc50 | esc10 | emotion | mean |"
    assert lines[5].startswith("| musicnn | – | – | **65.0") and lines[5].endswith("| – |")
    assert lines[-1].endswith("Completed at commit c on t, h: emotion of musicnn.")


def test_the_csv_grows_in_the_same_way() -> None:
    text = merged_csv(csv_table(BEFORE), csv_table(ADDED))
    lines = text.splitlines()
    assert len(lines) == 1 + 2 * (3 + 2 + 3 + 1)
    assert [line.split(",")[0] for line in lines[1:]] == ["both"] * 6 + ["yamnet"] * 4 + ["vggish"] * 6 + [
        "musicnn"
    ] * 2
    assert "needs weights" not in text


def test_what_was_measured_otherwise_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    before = document_of(BEFORE, about("both", "yamnet", audio={"esc50": "hash"}))
    path = tmp_path / "probe.json"
    path.write_text(json.dumps(before))
    path.with_suffix(".csv").write_text(csv_table(BEFORE))
    with pytest.raises(ValueError, match="the same parts, got test and validation"):
        write_merged(path, document_of(ADDED, about("both", parts="validation")), csv_table(ADDED))
    changed = about("both", "vggish", "musicnn")
    changed["extractors"]["both"] = ["both-2"]
    with pytest.raises(ValueError, match="both has changed .* measure esc50, esc10 again"):
        write_merged(path, document_of(ADDED, changed), csv_table(ADDED))
    other = about("both", "vggish", "musicnn", audio={"emodb": "hash", "esc50": "another"})
    with pytest.raises(ValueError, match="got other files of esc50: "):
        write_merged(path, document_of(ADDED, other), csv_table(ADDED))
    assert json.loads(path.read_text()) == json.loads(json.dumps(before))
    assert len(write_merged(path, document_of(ADDED, about("both", "vggish", "musicnn")), csv_table(ADDED))) == 3


def test_a_table_that_cannot_be_added_to_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "probe.json"

    def refusal(*arguments: str) -> str:
        # A model that does not exist shows that nothing later was looked at.
        return str(CliRunner().invoke(command, ["--models", "none", "--add-to", str(path), *arguments]).exception)

    path.write_text("{")
    assert "is not JSON" in refusal()
    path.write_text("{}")
    assert "is not a result of `probe`" in refusal()
    path.write_text(json.dumps(document_of(BEFORE, about("both", "yamnet"))))
    assert "no such file" in refusal() and "probe.csv" in refusal()
    path.with_suffix(".csv").write_text(csv_table(BEFORE))
    assert "the same parts, got test and validation" in refusal("--validation")
    assert "the same max_clips, got None and 50" in refusal("--max-clips", "50")
    assert "none" in refusal()
