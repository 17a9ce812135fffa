"""Matched pairs of tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.comparison.document import Document, read_document
from benchmark.comparison.matched import matched_advantages, pairs_of
from benchmark.tasks.limits import LIMITS
from benchmark.tasks.registry import PUBLIC, task_of


def document(repository: Path, differences: dict[str, float]) -> Document:
    """The kept table with other scores of the untrained network, and these differences of two networks."""
    scores = {
        **{"spoken_digits": 0.9, "vocal_bursts": 0.3, "speaker_gender": 0.6, "voice_activity": 0.5},
        **{"esc50": 0.32, "drum_strokes": 0.95, "sound_events": 0.1},
    }
    kept = read_document(repository / "benchmark" / "results" / "public.json")
    row = next(row for row in kept.rows if row.name == "untrained")
    cells = {name: replace(row.cells[name], gain=score) for name, score in scores.items()}
    first = kept.advantages[0]
    made = [
        replace(
            each, value=differences[each.task], low=differences[each.task] - 0.03, high=differences[each.task] + 0.03
        )
        for each in first.differences
        if each.task in differences
    ]
    return replace(kept, rows=[replace(row, cells=cells)], advantages=[replace(first, differences=made)])


def test_tasks_are_paired_by_difficulty_and_kind(repository: Path) -> None:
    values = {
        **{"spoken_digits": 0.5, "vocal_bursts": 0.1, "speaker_gender": 9.0, "voice_activity": 0.2},
        **{"esc50": -0.1, "drum_strokes": 0.3, "sound_events": 0.0},
    }
    (found,) = matched_advantages(document(repository, values))
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
    kept = read_document(repository / "benchmark" / "results" / "public.json")
    first, *_ = matched_advantages(kept)
    assert len(first.pairs) == 5 and len({task for pair in first.pairs for task in pair}) == 10
    assert ("voice_activity", "sound_events") in first.pairs
    columns = {column.name: column for column in kept.columns}
    untrained = next(row.cells for row in kept.rows if row.name == "untrained")
    inside, outside = ([pair[side] for pair in first.pairs] for side in (0, 1))
    assert set(pairs_of(inside, outside, untrained, columns)) == set(first.pairs)


def test_every_task_with_classes_states_its_limits() -> None:
    for name in PUBLIC:
        task = task_of(name)
        assert (name in LIMITS) == (task.embedding_type == "scene")
        if name in LIMITS:
            assert 1 / LIMITS[name].classes - 1e-3 < LIMITS[name].chance < 0.51
            assert (LIMITS[name].ceiling is None) == (not LIMITS[name].source)
