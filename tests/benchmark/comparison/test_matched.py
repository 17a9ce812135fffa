"""Matched pairs of tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.comparison.matched import matched_advantages, pairs_of
from benchmark.tasks.limits import LIMITS
from benchmark.tasks.registry import PUBLIC, task_of


def document(differences: dict[str, float]) -> dict[str, Any]:
    """A summary of three tasks of speech and two of other sounds, the untrained network's scores as named."""
    scores = {
        **{"spoken_digits": 0.9, "vocal_bursts": 0.3, "speaker_gender": 0.6, "voice_activity": 0.5},
        **{"esc50": 0.32, "drum_strokes": 0.95, "sound_events": 0.1},
    }
    titles = {name: "onset F-measure" if name in ("voice_activity", "sound_events") else "accuracy" for name in scores}
    return {
        "columns": [{"name": name, "metric_title": title} for name, title in titles.items()],
        "rows": [{"name": "untrained", "cells": {name: {"gain": score} for name, score in scores.items()}}],
        "in_means": {"speech": list(scores)[:4], "nonspeech": list(scores)[4:]},
        "advantages": [
            {
                **{"network": "speech", "reference": "nonspeech", "domain": "speech"},
                "differences": [
                    {"task": name, "value": value, "low": value - 0.03, "high": value + 0.03}
                    for name, value in differences.items()
                ],
            }
        ],
    }


def test_tasks_are_paired_by_difficulty_and_kind() -> None:
    values = {
        **{"spoken_digits": 0.5, "vocal_bursts": 0.1, "speaker_gender": 9.0, "voice_activity": 0.2},
        **{"esc50": -0.1, "drum_strokes": 0.3, "sound_events": 0.0},
    }
    (found,) = matched_advantages(document(values))
    assert set(found.pairs) == {
        ("vocal_bursts", "esc50"),
        ("spoken_digits", "drum_strokes"),
        ("voice_activity", "sound_events"),
    }
    assert found.value == pytest.approx(0.2)
    # Six independent differences of 0.03 each, in a mean of three pairs.
    assert found.high is not None and found.high - found.value == pytest.approx(0.03 * 6**0.5 / 3)
    assert found.p == 0.25  # all three pairs on one side: two of eight ways


def test_the_kept_table_has_its_pairs(repository: Path) -> None:
    kept = json.loads((repository / "benchmark" / "results" / "public.json").read_text(encoding="utf-8"))
    first, *_ = matched_advantages(kept)
    assert len(first.pairs) == 5 and len({task for pair in first.pairs for task in pair}) == 10
    assert ("voice_activity", "sound_events") in first.pairs
    columns = {column["name"]: column for column in kept["columns"]}
    untrained = next(row["cells"] for row in kept["rows"] if row["name"] == "untrained")
    turned = pairs_of(*(list(each) for each in zip(*first.pairs)), untrained, columns)
    assert set(turned) == set(first.pairs)


def test_every_task_with_classes_states_its_limits() -> None:
    for name in PUBLIC:
        task = task_of(name)
        assert (name in LIMITS) == (task.embedding_type == "scene")
        if name in LIMITS:
            assert 1 / LIMITS[name].classes - 1e-3 < LIMITS[name].chance < 0.51
            assert (LIMITS[name].ceiling is None) == (not LIMITS[name].source)
