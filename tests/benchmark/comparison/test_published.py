"""HEAR's leaderboard next to measured scores."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmark.comparison.command import tables_of
from benchmark.comparison.markdown import markdown_tables
from benchmark.comparison.published import LEADERBOARD, published
from tests.benchmark.comparison.documents import document_of

RunMaker = Callable[[], Any]


def test_published_scores_are_shown_for_hears_own_tasks_only(new_run: RunMaker) -> None:
    assert published(["esc50", "speech_commands"]) == []
    rows = {row.name: row for row in published(["esc50-v2.0.0-full", "esc50", "fsd50k-v1.0-full"])}
    assert len(rows) == 34
    with LEADERBOARD.open(newline="") as stream:
        expected = {row["Model"]: row for row in csv.DictReader(stream)}
    assert rows["wav2vec2"].scores == {
        "esc50-v2.0.0-full": float(expected["wav2vec2"]["ESC-50"]),
        "fsd50k-v1.0-full": float(expected["wav2vec2"]["FSD50K"]),
    }
    assert published(["beehive_states_fold0-v2-full"]) == []
    run = new_run()
    run.task("esc50-v2.0.0-full", "nonspeech", "ESC-50")
    run.outcome("both", "esc50-v2.0.0-full", np.arange(50) % 2)
    document = document_of(run.write())
    assert "both" not in {row.name for row in document.published.rows}
    assert len(document.rows) == 1 and document.best["esc50-v2.0.0-full"] == ["both"]
    assert "Published scores, not measured here" in markdown_tables(document)
    origins = {line["origin"] for line in csv.DictReader(io.StringIO(tables_of(document)["table.csv"].decode()))}
    assert origins == {"measured", "published"}
