"""The files that the speed from files to a table is measured with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmark.speed.collection_clips import recordings, write_clips
from byola_hear.audio.reading import read_audio


def test_files_have_the_requested_format_and_differ(clips_folder: Path, tmp_path: Path) -> None:
    files = write_clips(tmp_path, recordings(clips_folder, 22050, 2), 22050, 3, 0.7)
    for file in files:
        info = soundfile.info(file)
        assert (info.format, info.samplerate, info.channels, info.frames) == ("FLAC", 22050, 2, round(0.7 * 22050))
    clips = [read_audio(str(file), 22050) for file in files]
    assert min(clip.std() for clip in clips) > 1e-4
    assert not np.allclose(clips[0], clips[1])


def test_recordings_are_joined(clips_folder: Path) -> None:
    seconds = sum(soundfile.info(file).duration for file in clips_folder.glob("*_*.*"))
    assert recordings(clips_folder, 8000, 1).shape == (pytest.approx(8000 * seconds, rel=0.01), 1)
