"""heareval's score agrees with an independent probe only if it is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.evaluation import agreement
from benchmark.evaluation.cell import Cache, RunCell, embed, find_embeddings
from benchmark.evaluation.processes import Processes

FOLDS = {"split_mode": "presplit_kfold", "splits": ["fold0", "fold1", "fold2"]}


def splits_of(informative: bool) -> dict[str, agreement.Split]:
    random = np.random.default_rng(0)
    splits = {}
    for name in FOLDS["splits"]:
        labels = np.arange(60) % 3
        means = np.eye(3)[labels] * (8 if informative else 0)
        splits[name] = np.hstack([means, np.zeros((60, 5))]) + random.normal(size=(60, 8)), labels
    return splits


def test_independent_probe_learns_what_is_there_and_nothing_else() -> None:
    score, limits = agreement.interval(agreement.independent_right(splits_of(True), FOLDS))
    assert score > 0.98 and limits.high <= 1
    score, limits = agreement.interval(agreement.independent_right(splits_of(False), FOLDS))
    assert limits.low < 1 / 3 < limits.high


def test_agree_leaves_embeddings_that_a_run_has_kept(
    heareval: Callable[[], list[str]],
    make_cell: Callable[..., RunCell],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell, cache = make_cell(), Cache(tmp_path / "cache" / "run")
    monkeypatch.setattr(agreement, "check_task", lambda *_: cell.task)
    monkeypatch.setattr(agreement, "model_row", lambda name: cell.model)
    arguments = ["--cache", str(tmp_path / "cache")]
    CliRunner().invoke(agreement.command, arguments)
    assert heareval() and not cache.embeddings(cell).exists()
    embed(cell, cache, Processes(), cache.log(cell))
    CliRunner().invoke(agreement.command, arguments)
    assert find_embeddings(cache.embeddings(cell), "digits")


def test_folds_all_right_or_all_wrong_give_no_interval() -> None:
    with pytest.raises(ValueError, match=r"expected .* got accuracies \[1.0, 0.0\] by fold"):
        agreement.interval([np.ones(5), np.zeros(5)])
