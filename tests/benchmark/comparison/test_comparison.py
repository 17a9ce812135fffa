"""Scores, means and intervals of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.markdown import markdown_tables, short_markdown
from benchmark.comparison.rows import OVERALL
from tests.benchmark.comparison.documents import document_of

RunMaker = Callable[[], Any]


def test_rows_are_ordered_and_the_best_are_marked(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.05))
    assert [row.name for row in document.rows] == ["both", "speech", "nonspeech", "untrained", "mfcc"]
    assert document.groups == ["speech", "nonspeech"] and len(document.hear.tasks) == 10
    assert document.best["speech"] == ["speech"] and document.best["nonspeech"] == ["nonspeech"]
    values = {row.name: row.means for row in document.rows}
    for means in values.values():
        assert means[OVERALL].value == pytest.approx((means["speech"].value + means["nonspeech"].value) / 2)
        low, high = means[OVERALL].low, means[OVERALL].high
        assert low is not None and high is not None and low < means[OVERALL].value < high
    folded = [column.name for column in document.columns if column.folds == 5]
    assert folded == ["speech0", "nonspeech0"]
    spreads = [row.cells["speech0"].spread for row in document.rows]
    assert all(spread is not None and spread > 0 for spread in spreads)


def test_lower_is_better_for_an_error_rate(new_run: RunMaker) -> None:
    run = new_run()
    run.task("activity", "speech", "Voice activity")
    run.task("digits", "speech")
    for model, errors in (("both", 1), ("speech", 3), ("mfcc", 11)):
        counts = np.tile([errors, 10, 0], (40, 1)).astype(float)
        counts[::2, 0] += 1
        run.outcome(model, "activity", counts, metric="segment_1s_er")
        run.outcome(model, "digits", np.arange(40) < 20)
    document = document_of(run.write())
    rows = {row.name: row for row in document.rows}
    assert document.best["activity"] == ["both"]
    assert rows["both"].cells["activity"].score == pytest.approx(0.15)
    assert rows["mfcc"].means["speech"].value == pytest.approx((1 - 1.15 + 0.5) / 2)
    hear = [mean.value for name in ("both", "speech", "mfcc") if (mean := rows[name].hear)]
    assert len(hear) == 3 and hear[0] > hear[1] > hear[2]
    text = markdown_tables(document)
    assert "Voice activity ↓" in text and "an error rate, lower is better" in text and "**15.0 ± " in text


def test_scores_without_counts_have_intervals_over_folds_or_none(new_run: RunMaker) -> None:
    run = new_run()
    run.task("tags", "nonspeech")
    run.task("distance", "nonspeech")
    nothing = np.full((50, 3), np.nan)
    for model, shift in (("both", 0.0), ("mfcc", -0.1)):
        right = np.ones(50)
        folded = np.array([[0.5], [0.6], [0.7], [0.6], [0.6]]) + shift
        run.outcome(model, "tags", right, folds=5, metrics=("mAP",), counts=nothing, scores=folded)
        run.outcome(model, "distance", right, metrics=("d_prime",), counts=nothing, scores=np.array([[2.5 + shift]]))
    document = document_of(run.write())
    cells = document.rows[0].cells
    low, high = cells["tags"].low, cells["tags"].high
    assert cells["tags"].interval == "folds" and low is not None and high is not None and low < 0.6 < high
    assert cells["distance"].interval is None
    assert document.in_means["nonspeech"] == ["tags"]
    mean = document.rows[0].means["overall"]
    assert mean.value == pytest.approx(0.6) and mean.low is None
    assert set(document.hear.tasks) == {"tags", "distance"}
    hear = document.rows[0].hear
    assert hear is not None and hear.value == pytest.approx(1.0)
    text = markdown_tables(document)
    assert "ᶠ" in text and "**2.50**" in text and "distance: not on a scale from 0 to 1" in text


def test_missing_scores_have_reasons_and_no_numbers(new_run: RunMaker) -> None:
    run = new_run()
    for name in ("digits", "notes", "stale"):
        run.task(name, "speech" if name == "digits" else "nonspeech")
    right = np.arange(60) % 3 > 0
    for model in ("both", "speech"):
        for task in ("digits", "notes", "stale"):
            run.outcome(model, task, right)
    run.outcome("mfcc", "digits", right[:30])
    run.outcome("mfcc", "notes", right, scores=np.array([[np.nan]]))
    run.outcome("mfcc", "stale", right, task_sha256="another")
    run.model("vggish", missing="needs weights: get them | there")
    run.model("yamnet", missing="needs the package ai-edge-litert")
    run.outcome("yamnet", "digits", right)
    run.model("crepe")
    run.cells.append({"model": "crepe", "task": "digits", "status": "failed", "note": "out of memory"})
    run.cells.append({"model": "both", "task": "gone", "status": "unavailable", "note": "no such archive"})
    document = document_of(run.write())
    rows = {row.name: row for row in document.rows}
    assert [row.name for row in document.rows][:2] == ["both", "speech"]
    assert rows["mfcc"].status == "failed" and not rows["mfcc"].cells
    assert "other files" in rows["mfcc"].missing["digits"] and "not a number" in rows["mfcc"].missing["notes"]
    assert "another version of the task" in rows["mfcc"].missing["stale"]
    assert (rows["vggish"].status, rows["crepe"].status) == ("unavailable", "failed")
    assert document.notes == ["gone: no column, because the task is not available: no such archive"]
    assert rows["yamnet"].status == "ok" and "digits" in rows["yamnet"].cells
    assert document.hear.rows == ["both", "speech"]
    text = markdown_tables(document)
    assert "| vggish | – | – |" in text and "- vggish: not measured: needs weights: get them \\| there" in text
    assert "- crepe: failed: out of memory" in text


def test_there_is_no_mean_without_a_task_that_nobody_has(new_run: RunMaker) -> None:
    run = new_run()
    for name, domain in (("digits", "speech"), ("words, letters", "speech"), ("notes", "nonspeech")):
        run.task(name, domain)
    for task in ("digits", "notes"):
        run.outcome("both", task, np.arange(60) % 3 > 0)
    document = document_of(run.write())
    assert list(document.rows[0].means) == ["nonspeech"]
    assert short_markdown(document, "full.md") == "No model has all tasks of a mean yet. All scores: full.md.\n"


def test_counts_that_do_not_give_the_score_are_not_used(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    run.outcome("both", "digits", np.arange(50) % 2, scores=np.array([[0.9]]))
    document = document_of(run.write())
    assert document.rows[0].cells["digits"].low is None
    assert "do not give its score" in document.notes[0]
