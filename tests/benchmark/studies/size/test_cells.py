"""Volumes of audio."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.studies.size.cells import volume
from byola_hear.pretraining.data.manifest import hours


def test_volumes_are_nested_and_even(sounds: Path, tmp_path: Path) -> None:
    manifests = [sounds / "speech.csv", sounds / "nonspeech.csv"]
    small, large = (volume(manifests, seconds / 3600, 1, tmp_path) for seconds in (4, 12))
    for rows, seconds in ((small, 4), (large, 12)):
        assert hours(rows) * 3600 == pytest.approx(seconds)
        assert hours(clip for clip in rows if clip.kind == "speech") * 3600 == pytest.approx(seconds / 2)
    assert {clip.path for clip in small} <= {clip.path for clip in large}
    assert all((tmp_path / clip.path).resolve().is_file() for clip in large)
    with pytest.raises(ValueError, match="at least"):
        volume(manifests, 1.0, 1, tmp_path)
