"""heareval itself, from audio to an outcome, on a task of seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmark.evaluation.cell import Cache, RunCell, measure
from benchmark.evaluation.check_task import described
from benchmark.evaluation.processes import Processes
from benchmark.evaluation.settings import ProbeSettings
from benchmark.hear_tools.example_tasks import clips_of_folder, write_event_task
from benchmark.models.heareval_rows import model_rows


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("heareval") is None, reason="heareval is not installed (make hear)")
def test_event_task_from_audio_to_outcome(tmp_path: Path, clips_folder: Path) -> None:
    clips = clips_of_folder(clips_folder, 0.3, {"train": 3, "valid": 2, "test": 2})
    write_event_task(tmp_path / "tasks" / "strokes", clips, 2.0, 0.3)
    task = described(tmp_path / "tasks" / "strokes", "strokes", "which clip, and when")
    (logmel,) = model_rows(["logmel"])
    cell = RunCell(logmel, task, ProbeSettings("faster", 1))
    outcome = measure(cell, Cache(tmp_path / "cache"), Processes())
    # That the counts add up to heareval's score, and that files are in its order, is checked on reading.
    assert outcome.metrics == ("event_onset_200ms_fms", "segment_1s_er")
    assert sorted(outcome.files) == [f"test_{number}.wav" for number in range(len(outcome.files))]
    events = 3 * len(outcome.files)
    assert outcome.counts[:, 1].sum() == events and np.isfinite(outcome.scores).all()
    assert outcome.settings["heareval"] == "2021.1.3" and outcome.settings["prediction_seconds"] > 0
    assert set(outcome.settings["hyperparameters"]) >= {"hidden_dim", "lr", "initialization"}
    # On one machine, nothing about a repetition is random.
    again = measure(cell, Cache(tmp_path / "empty"), Processes())
    assert np.array_equal(again.scores, outcome.scores) and np.array_equal(again.counts, outcome.counts)
    assert again.settings["validation_scores"] == outcome.settings["validation_scores"]
