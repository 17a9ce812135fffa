"""Models on measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.models.extractors import Extractor
from benchmark.studies.regression.measurements import find_measurements
from benchmark.studies.regression.run import MEAN_ROW, table_of
from benchmark.tasks.scenes import levels


def loudness(clips: list[np.ndarray]) -> np.ndarray:
    """Level in dB and a number that tells nothing."""
    return np.array([[levels.level(clip), clip[0]] for clip in clips], dtype=np.float32)


def test_a_level_predicts_dynamics_and_not_pitch(audio: Path, tmp_path: Path) -> None:
    measured = [(each, each.examples(audio, tmp_path, 0)) for each in find_measurements("pitch,dynamics")]
    level = Extractor("level", "level", 16000, loudness, "")
    numbers = table_of({"level": [level]}, measured, tmp_path)
    compared = table_of({"speech": [level], "nonspeech": [level]}, measured, tmp_path)
    assert compared.query("score == 'r2_ahead'")[["model", "value"]].to_numpy().tolist() == [["speech", 0]] * 2
    r2 = numbers.query("score == 'r2'").set_index(["model", "measurement"])["value"]
    assert r2["level", "dynamics"] > 0.9
    assert r2["level", "pitch"] < 0.1
    assert r2[MEAN_ROW, "pitch"] == 0
    # Out of the cache, nothing is embedded or fitted again.
    again = Extractor("level", "level", 16000, lambda clips: 1 / 0, "")  # type: ignore[arg-type, return-value]
    pd.testing.assert_frame_equal(table_of({"level": [again]}, measured, tmp_path), numbers)
