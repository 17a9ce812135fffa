from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data import clip_log_mel
from byola_hear.pretraining.data.clip_log_mel import cached_log_mel, read_clip
from byola_hear.pretraining.data.manifest import ManifestClip


def test_segment_is_that_part_of_the_file(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    part = read_clip(ManifestClip("a.wav", 1.0, 16000).segment(0.25, 0.5), tmp_path, 16000)
    np.testing.assert_array_equal(part, audio[4000:8000])


def test_long_row_is_transformed_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.flac", random.uniform(-0.5, 0.5, (90_000, 2)), 22050)
    clip = ManifestClip("a.flac", 4.0, 22050).segment(0.5, 4.0)
    whole = cached_log_mel(clip, tmp_path, FrontendConfig())
    monkeypatch.setattr(clip_log_mel, "PIECE_FRAMES", 37)
    np.testing.assert_array_equal(cached_log_mel(clip, tmp_path, FrontendConfig()), whole)
