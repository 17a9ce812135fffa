"""The proof of ``benchmark run``: its sets become tasks, lost and doubled cells are seen, and one worker is killed."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.comparison.outcome import Outcome, save_outcome
from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.faults import killed_run
from benchmark.faults.killed_run import TASKS, digest_of_run, kill_worker, write_sets
from benchmark.faults.proof import Settings
from benchmark.tasks.registry import prepare

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the list of children is Linux's")


def test_the_sets_become_the_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    write_sets(tmp_path / "sets", 0)
    for name in TASKS:
        prepared = prepare(name, tmp_path / "tasks", tmp_path / "sets", False)
        counts = {
            split: len(json.loads((prepared.folder / f"{split}.json").read_text())) for split in ("train", "test")
        }
        assert counts == {"train": 24, "test": 12}


def finished_run(folder: Path, tasks: tuple[str, ...] = TASKS, seconds: float = 1.0) -> Path:
    """As much of a run's folder as the digest reads."""
    lines = []
    for task in tasks:
        arrays = {name: np.arange(3) for name in ("files", "fold_of", "counts", "target", "predicted")}
        texts = {"metrics": ("top1_acc",), "folds": ("test",), "labels": ("a",), "settings": {"seconds": seconds}}
        outcome = Outcome(task, "", "logmel", "", scores=np.array([[0.5]]), **arrays, **texts)  # type: ignore[arg-type]
        save_outcome(folder / "outcomes" / "logmel" / f"{task}.npz", outcome)
        lines.append({"task": task, "score": 0.5, "embedding_seconds": seconds, "prediction_seconds": seconds})
    pd.DataFrame(lines).to_csv(folder / "scores.csv", index=False)
    cells = [{"model": "logmel", "task": task, "status": "done", "seconds": seconds} for task in tasks]
    (folder / "run.json").write_text(json.dumps({"cells": cells}))
    return folder


def test_the_digest_sees_cells_and_scores_and_no_times(tmp_path: Path) -> None:
    expected = digest_of_run(finished_run(tmp_path / "one"))
    assert digest_of_run(finished_run(tmp_path / "two", seconds=2.0)) == expected
    assert digest_of_run(finished_run(tmp_path / "lost", TASKS[:1])) != expected
    doubled = finished_run(tmp_path / "doubled")
    scores = pd.read_csv(doubled / "scores.csv")
    pd.concat([scores, scores[:1]]).to_csv(doubled / "scores.csv", index=False)
    assert digest_of_run(doubled) != expected
    failed = finished_run(tmp_path / "failed")
    (failed / "run.json").write_text((failed / "run.json").read_text().replace("done", "failed", 1))
    assert digest_of_run(failed) != expected
    other = shutil.copytree(tmp_path / "one", tmp_path / "other")
    finished_run(tmp_path / "other", TASKS[:1])
    assert digest_of_run(other) != expected


@needs_linux
def test_one_worker_is_killed_and_its_parent_lives() -> None:
    program = "import subprocess, sys; c = subprocess.Popen(['sleep', '60']); print(1, flush=True); print(c.wait())"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"1\n"
        assert kill_worker(process, random.Random(0))
        assert process.stdout.read() == b"-9\n"
    assert process.returncode == 0
    assert not kill_worker(process, random.Random(0))


def test_without_heareval_it_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found = killed_run.run(Settings(tmp_path))
    assert found.not_tried == "heareval, one of HEAR's tools, is missing (make hear)"
