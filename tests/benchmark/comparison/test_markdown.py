"""The tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.comparison.markdown import markdown_tables, short_markdown
from benchmark.comparison.rows import FIRST_ROWS
from tests.benchmark.comparison.documents import document_of

RunMaker = Callable[[], Any]


def test_ties_within_rounding_are_all_bold(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    for model, right in (("both", 6001), ("speech", 6003), ("mfcc", 5000)):
        run.outcome(model, "digits", np.arange(10000) < right)
    text = markdown_tables(document_of(run.write()))
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "**60.0 ± 1.0**" in lines["both"] and "**60.0 ± 1.0**" in lines["speech"] and "**50" not in lines["mfcc"]


def test_the_short_table_has_the_networks_the_best_others_and_one_finding(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.05, tasks=2, files=150))
    template = next(row for row in document.rows if row.name not in FIRST_ROWS or row.name == "untrained")
    for name, value in (("bad", 0.1), ("good", 0.9), ("fair", 0.5)):
        means = {key: replace(mean, value=value) for key, mean in template.means.items()}
        document.rows.append(replace(template, name=name, means=means))
    document.rows.append(replace(template, name="absent", means={}))
    finding, _, *lines = short_markdown(document, "full.md").splitlines()
    rows = [line.split("|")[1].strip(" `") for line in lines if line.startswith("| `")]
    networks = [row.name for row in document.rows if row.name in FIRST_ROWS]
    assert rows == [*networks, "good", "fair"]
    assert lines[-1].endswith("full.md.")
    first = document.advantages[0]
    assert f"`{first.network}` is {abs(100 * first.inside):.1f} points" in finding
    assert first.low is not None and first.high is not None
    assert ("may be chance" in finding) == (first.low <= 0 <= first.high or first.p > 0.05)


def test_a_short_table_without_networks_has_no_finding(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.05, tasks=1, files=60))
    assert "on speech tasks" not in short_markdown(replace(document, advantages=[]), "full.md")
    unlimited = replace(document.advantages[0], low=None, high=None, p=0.01)
    finding = short_markdown(replace(document, advantages=[unlimited]), "full.md").splitlines()[0]
    assert "on speech tasks" in finding and "may be chance" not in finding


def test_a_tasks_own_settings_are_reported(new_run: RunMaker) -> None:
    run = new_run()
    for task in ("beats", "words"):
        run.task(task, "speech")
        run.outcome("both", task, np.arange(20) % 3 > 0)
    assert "replace those of the grid" not in markdown_tables(document_of(run.write()))
    run.tasks["beats"]["own_settings"] = {"patience": [5], "check_val_every_n_epoch": [1, 5]}
    assert "beats: check_val_every_n_epoch 1 or 5, patience 5." in markdown_tables(document_of(run.write()))
