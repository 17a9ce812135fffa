"""Segments of recordings as files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from byola_hear.audio import AudioFileError
from byola_hear.audio.cutting import cut


@pytest.mark.parametrize("name", ["drum_stereo_44k.flac", "shutter_stereo_96k.ogg", "speech_french_16k.wav"])
def test_a_segment_has_the_samples_rate_and_channels_of_the_recording(
    clips_folder: Path, tmp_path: Path, name: str
) -> None:
    whole, rate = soundfile.read(clips_folder / name, dtype="float32", always_2d=True)
    cut(str(clips_folder / name), 0.25, 0.75, tmp_path / "cut.wav")
    found, found_rate = soundfile.read(tmp_path / "cut.wav", dtype="float32", always_2d=True)
    expected = whole[round(0.25 * rate) : round(0.75 * rate)]
    assert found_rate == rate and found.shape == expected.shape
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=2**-15)


def test_an_end_beyond_the_file_is_the_files_end(clips_folder: Path, tmp_path: Path) -> None:
    file = clips_folder / "speech_french_16k.wav"
    seconds = soundfile.info(file).duration
    cut(str(file), 0.5, seconds + 9, tmp_path / "cut.wav")
    assert soundfile.info(tmp_path / "cut.wav").duration == pytest.approx(seconds - 0.5, abs=1e-4)
    with pytest.raises(AudioFileError, match=f"the segment begins at {seconds + 1:g} s, after the file's end"):
        cut(str(file), seconds + 1, seconds + 2, tmp_path / "none.wav")
    assert not (tmp_path / "none.wav").exists()
    with pytest.raises(FileNotFoundError, match="no such folder"):
        cut(str(file), 0, 1, tmp_path / "none" / "cut.wav")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_one_error(clips_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full(path: Path) -> Iterator[BinaryIO]:
        with open("/dev/full", "wb") as stream:
            try:
                yield stream
            finally:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # closing writes what is left

    monkeypatch.setattr("byola_hear.audio.cutting.replacing", full)
    with pytest.raises(OSError, match="No space left on device"):
        cut(str(clips_folder / "drum_stereo_44k.flac"), 0.0, 0.5, tmp_path / "cut.wav")


def test_samples_of_16_bits_stay_as_they_are(tmp_path: Path) -> None:
    samples = np.array([[-32768, 32767, 1, -1, 0, 12345, 32766, -32767]], np.int16).repeat(500, 0).reshape(-1, 2)
    soundfile.write(tmp_path / "a.wav", samples, 8000, "PCM_16")
    cut(str(tmp_path / "a.wav"), 0.0, 1.0, tmp_path / "cut.wav")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "cut.wav", dtype="int16")[0], samples)
