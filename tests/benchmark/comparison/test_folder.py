"""Reading a run's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.markdown import markdown_tables
from benchmark.comparison.summary import summary
from benchmark.tasks.registry import SUITES

RunMaker = Callable[[], Any]


def test_order_of_files_does_not_matter(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    right = np.arange(50) % 3 > 0
    backwards = np.arange(50)[::-1]
    run.outcome("both", "digits", right)
    same = {"files": np.array([f"{index:05}.wav" for index in backwards]), "fold_of": np.zeros(50, int)}
    run.outcome("speech", "digits", right[backwards], target=backwards % 2, **same)
    comparison = compare(load_run(run.write()))
    one, other = (comparison.rows[place].cells["digits"] for place in (0, 1))
    np.testing.assert_array_equal(one.draws, other.draws)


def test_a_part_of_a_suite_is_not_the_suite(new_run: RunMaker) -> None:
    for tasks, suite in ((list(SUITES["mini"]), "mini"), (list(SUITES["mini"])[:2], "tasks")):
        run = new_run()
        for task in tasks[:2]:
            run.task(task, "speech")
            run.outcome("both", task, np.arange(20) % 3 > 0)
        # Tasks that are not available count, too.
        for task in tasks[2:]:
            run.cells.append({"model": "both", "task": task, "status": "unavailable", "note": "no such archive"})
        assert load_run(run.write()).suite == suite


@pytest.mark.parametrize(
    ("cells", "status", "reason"),
    [
        ([], "not measured", "not run"),
        ([("digits", "not run", "interrupted"), ("notes", "not run", "interrupted")], "not measured", "interrupted"),
        ([("digits", "unavailable", "no such archive")], "not measured", "no such archive"),
        ([("digits", "done", "")], "not measured", "its outcome is not in the folder"),
        ([("digits", "not run", "interrupted"), ("notes", "failed", "out of memory")], "failed", "out of memory"),
    ],
)
def test_only_what_was_tried_has_failed(
    new_run: RunMaker, cells: list[tuple[str, str, str]], status: str, reason: str
) -> None:
    run = new_run()
    for task in ("digits", "notes"):
        run.task(task, "speech")
        run.outcome("both", task, np.arange(20) % 3 > 0)
    run.model("crepe")
    for task, of_cell, note in cells:
        run.cells.append({"model": "crepe", "task": task, "status": of_cell, "note": note})
    document = summary(compare(load_run(run.write())))
    row = next(row for row in document.rows if row.name == "crepe")
    assert (row.status, row.reason) == (status, reason)
    assert f"- crepe: {status}: {reason}\n" in markdown_tables(document)


def test_a_missing_task_has_its_own_reason(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    run.outcome("both", "digits", np.arange(20) % 3 > 0)
    run.model("musicnn", missing="needs the package musicnn")
    for model, note in (("musicnn", "needs the package musicnn"), ("both", "no audio of notes")):
        run.cells.append({"model": model, "task": "notes", "status": "unavailable", "note": note})
    run.cells.append(
        {"model": "musicnn", "task": "birds", "status": "unavailable", "note": "needs the package musicnn"}
    )
    notes = load_run(run.write()).notes
    assert notes == [
        "notes: no column, because the task is not available: no audio of notes",
        "birds: no column, because the task is not available",
    ]


@pytest.mark.parametrize("content", [None, "nothing", "[]", '{"tasks": {}}', '{"tasks": {"a": {"domain": "x"}}}'])
def test_another_folder_is_one_clear_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises((FileNotFoundError, ValueError), match="python -m benchmark run"):
        load_run(tmp_path)
