"""Outcomes survive being written and read, and other files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.comparison.outcome import ARRAYS, Outcome, load_outcome, save_outcome


def outcome() -> Outcome:
    return Outcome(
        task="digits",
        task_sha256="ab",
        model="both",
        model_identity="cd",
        metrics=("top1_acc", "mAP"),
        folds=("fold00", "fold01"),
        scores=np.array([[0.5, np.nan], [1.0, 0.25]]),
        labels=("NA", "01"),
        files=np.array(["a.wav", "b.wav", "é.wav"]),
        fold_of=np.array([0, 0, 1]),
        counts=np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1]], dtype=float),
        target=np.array([0, 1, 1]),
        predicted=np.array([0, 0, 1]),
        settings={"grid": "default", "grid_points": 8, "seconds": 1.5},
    )


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "both" / "digits.npz"
    save_outcome(path, outcome())
    read = load_outcome(path)
    for name in Outcome.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(read, name), getattr(outcome(), name), err_msg=name)
    assert read.score == 0.75
    assert [each.name for each in path.parent.iterdir()] == ["digits.npz"]


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_anything_else_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.npz"
    if content is None:
        np.savez(path, scores=np.zeros(1))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="expected an outcome"):
        load_outcome(path)


def test_a_damaged_byte_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    save_outcome(tmp_path / "x.npz", outcome())
    content = (tmp_path / "x.npz").read_bytes()
    refused = 0
    for place in range(0, len(content), 5):
        (tmp_path / "x.npz").write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            load_outcome(tmp_path / "x.npz")
        except ValueError as error:
            assert "expected an outcome" in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > len(content) / 20


def test_an_outcome_without_a_text_is_refused(tmp_path: Path) -> None:
    header = np.array(json.dumps({"task": "digits"}))
    np.savez(tmp_path / "x.npz", header=header, **{name: getattr(outcome(), name) for name in ARRAYS})
    with pytest.raises(ValueError, match="x.npz: expected an outcome .* 'task_sha256'"):
        load_outcome(tmp_path / "x.npz")
