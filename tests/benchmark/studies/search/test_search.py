"""The study of search: neighbours by two cosines, small collections, and hits that stay away from a wrong sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

pytest.importorskip("sklearn")

from benchmark.studies.findings import save_numbers
from benchmark.studies.search.command import command
from benchmark.studies.search.measure import DRAWS, WEIGHTS, away, measured
from benchmark.studies.search.report import NAME, gain, report
from byola_hear.analysis.search import Space
from tests.benchmark.made_sets import write_all_sets

ABOUT: dict[str, Any] = {
    **{"command": "python -m benchmark search", "parts": "test", "draws": 2, "hits": 10},
    "notes": {"both": "both 0.2.0"},
}


def clips(n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, labels and groups. Two dimensions tell the labels apart; two that all clips share are larger."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=n)
    angles = 2 * np.pi * labels / 3 + rng.normal(0, 0.2, n)
    told = 0.5 * np.column_stack([np.cos(angles), np.sin(angles)])
    shared = np.column_stack([np.full(n, 50.0), 40 + rng.normal(0, 3, n)])
    return np.hstack([told, shared]).astype(np.float32), labels.astype(str), np.arange(n).astype(str)


def test_what_all_clips_share_hides_the_labels_from_the_plain_cosine_only() -> None:
    found = pd.DataFrame(measured(*clips(), seed=0))
    whole = found[found["measure"] == "neighbours"].set_index("cosine")["share"]
    assert whole["standardised"] > whole["plain"] + 20
    small = found[found["measure"] == "small"]
    assert set(small["clips"]) == {20, 50} and small.groupby(["clips", "cosine"])["draw"].nunique().eq(DRAWS).all()


def test_hits_are_of_other_groups() -> None:
    embeddings, labels, _ = clips()
    # All clips of a label are of one group, so every hit is wrong.
    found = pd.DataFrame(measured(embeddings, labels, labels, seed=0))
    assert len(found) and found["share"].eq(0).all()


def test_the_score_away_from_a_sound_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels, groups = clips(30)
    space = Space.fitted(embeddings)
    units = space.units(embeddings)
    for weight, share in away(units, labels, groups):
        monkeypatch.setattr("byola_hear.analysis.search.EXCLUDED_WEIGHT", weight)
        right = []
        for query in range(30):
            cosines = space.scores(embeddings, space.direction(embeddings[[query]]))
            wrong = max(np.flatnonzero(labels != labels[query]).tolist(), key=lambda row: float(cosines[row]))
            scores = space.scores(embeddings, space.direction(embeddings[[query]], embeddings[[wrong]]))
            scores[[query, wrong]] = -np.inf
            right += (labels[np.argsort(-scores)[:10]] == labels[query]).tolist()
        assert share == pytest.approx(100 * np.mean(right))


def numbers() -> pd.DataFrame:
    """The standardised cosine finds 10 points more than the plain one, and 5 in small collections."""
    rows = []
    for task, base in (("spoken_digits", 40.0), ("esc50", 60.0)):
        for cosine, better in (("plain", 0.0), ("standardised", 10.0)):
            row = {"model": "both", "seed": 0, "task": task, "cosine": cosine, "draw": 0, "weight": 0.0}
            rows.append({**row, "measure": "neighbours", "clips": 100, "share": base + better})
            for draw in range(2):
                rows.append({**row, "measure": "small", "clips": 20, "draw": draw, "share": base + better / 2 - draw})
            for weight in WEIGHTS:
                more = 4 * weight if cosine == "standardised" else 0.0
                rows.append({**row, "measure": "away", "clips": 100, "weight": weight, "share": base + more})
    return pd.DataFrame(rows)


def test_the_report_says_what_the_standardised_cosine_finds_more(tmp_path: Path) -> None:
    assert gain(numbers(), "both").value == pytest.approx(10)
    save_numbers(tmp_path, NAME, numbers(), ABOUT)
    text = report(tmp_path).texts(tmp_path, NAME)[f"{NAME}.md"]
    assert (
        "| both, plain | 40.0 | 60.0 | 50.0 |  |" in text
        and "| both, standardised | 50.0 | 70.0 | 60.0 | +10.0 |" in text
    )
    assert "| both | +5.0 |" in text and "| both, standardised | 50.0 | 50.4 | 51.0 | 52.0 | 54.0 |" in text
    assert "changes the share of right hits by +1.0 points with `both`" in text
    draw, _ = report(tmp_path).figures[NAME]
    assert draw is not None and len(draw().axes) == 1


def test_the_command_measures_the_named_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio")
    monkeypatch.setenv("BYOLA_BENCHMARK_CACHE", str(tmp_path / "cache"))
    arguments = ["--audio", tmp_path / "audio", "--models", "logmel", "--tasks", "esc50,drum_strokes", "--no-progress"]
    result = CliRunner().invoke(command, [str(each) for each in (*arguments, "--output", tmp_path / "results")])
    assert result.exit_code == 0, result.output
    kept = pd.read_csv(tmp_path / "results" / "search.csv")
    assert set(kept["task"]) == {"esc50", "drum_strokes"} and kept["share"].between(0, 100).all()
    assert "`logmel`: by the standardised cosine" in result.output
