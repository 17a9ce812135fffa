"""What the command measures with, and what it reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

import byola_hear
from benchmark.datasets.labelled_set import load_set
from benchmark.reporting.markdown import markdown
from benchmark.speed.finding import CLASSES, NEGATIVES, write_clips, write_recordings, write_table
from benchmark.speed.finding_report import BETWEEN, report
from tests.benchmark.labelled_sets import RATE, write_set


def test_clips_and_recordings(tmp_path: Path) -> None:
    labels = (*CLASSES, *NEGATIVES, "cat") * 2
    clips = np.random.default_rng(0).normal(0, 0.05, (len(labels), 5 * RATE))
    labelled = load_set(write_set(tmp_path, "esc50", [{"label": label} for label in labels], list(clips)), tmp_path)
    assert write_clips(tmp_path / "clips", labelled) == 2 * len(CLASSES) + 2 * len(NEGATIVES)
    assert {path.name for path in (tmp_path / "clips").iterdir()} == {*CLASSES, "background"}
    assert write_recordings(tmp_path / "recordings", labelled, 10) == 600
    assert [soundfile.info(path).duration for path in (tmp_path / "recordings").iterdir()] == [300, 300]


def test_a_table_of_any_size(tmp_path: Path) -> None:
    source = byola_hear.embed([np.random.default_rng(0).normal(0, 0.1, 48000)], window=0.5, sample_rate=16000)
    write_table(tmp_path / "rows.parquet", source, 3000)
    table = byola_hear.read_table(tmp_path / "rows.parquet")
    assert table.shape == (3000, source.shape[1])
    assert table.attrs["request"]["fingerprint"] == source.attrs["request"]["fingerprint"]


def test_times_are_of_real_time_and_of_as_many_rows() -> None:
    search = dict.fromkeys(("plain", "standardised", "index_made", "index", "memory_plain", "memory"), 0.2)
    result = {
        "about": {"window": 1.0, "hardware": "a machine"},
        "detection": {
            "clips": 10,
            "seconds": 3600.0,
            "windows": 7200,
            "cpu_seconds": {"learn": 5.0, "learn_again": 1.0, "predict": 36.0, "embed": 30.0, "predict_table": 0.5},
        },
        "search": {
            "rows": 20_000,
            "many_rows": 1_000_000,
            "size": 3072,
            "table_bytes": 1000,
            "index_bytes": 25,
            "cpu_seconds": {**search, "many_read": 0.3, "many": 0.1},
        },
    }
    text = report(result, markdown)
    first, second = text.split(BETWEEN)
    assert "| 36 s | 100 times |" in first and "100 hours of recordings take 1 hours of one core: 30 minutes" in first
    assert "| Parquet | 1 s | 1 s |" in second and "is read and searched in 0.4 s" in second and "2.5 %" in second
