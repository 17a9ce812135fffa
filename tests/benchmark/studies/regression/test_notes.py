"""Pitch and dynamics of notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.studies.regression import notes


def test_other_dynamics_are_refused(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "DYNAMICS", ("pianissimo", "fortissimo"))
    with pytest.raises(ValueError, match="got mezzo-piano"):
        notes.dynamics(audio, tmp_path, 0)
