"""Channels to mono and to another rate, and the warning where they cancel each other out."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from byola_hear.audio import AudioFileWarning, read_audio, read_blocks
from byola_hear.audio.mixing import at_rate, mean_of_channels
from tests.broken_files import tone


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_mean_of_channels(channels: int) -> None:
    samples = np.random.default_rng(0).standard_normal((1000, channels)).astype(np.float32)
    np.testing.assert_allclose(mean_of_channels(samples), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("size", [1, 77, 5000])
def test_pieces_are_resampled_as_the_whole(size: int) -> None:
    samples = tone()[:, 0]
    pieces = [samples[first : first + size] for first in range(0, len(samples), size)]
    resampled = np.concatenate(list(at_rate(pieces, 16000, 22050)))
    np.testing.assert_allclose(resampled, soxr.resample(samples, 16000, 22050, "HQ"), atol=1e-6)


def test_less_than_one_sample_is_its_mean() -> None:
    assert np.concatenate(list(at_rate([np.array([0.5, 0.25], np.float32)], 96000, 8000))).tolist() == [0.375]


def written(folder: Path, right: float, left: float = 1.0) -> Path:
    soundfile.write(folder / "a.wav", tone() * np.array([left, right], np.float32), 16000)
    return folder / "a.wav"


@pytest.mark.parametrize("right", [-1.0, -0.96])
def test_channels_that_cancel_each_other_out(right: float, tmp_path: Path) -> None:
    path = written(tmp_path, right)
    with pytest.warns(
        AudioFileWarning, match=r"a\.wav: the channels cancel each other out: their mean, which is embedded, is "
    ):
        read_audio(path, 16000)
    with pytest.warns(AudioFileWarning):
        read_audio(path, 8000, 0.5, 1.0)
    with pytest.warns(AudioFileWarning):
        list(read_blocks(path, 16000, 0.1))


@pytest.mark.parametrize(("right", "left"), [(1.0, 1.0), (0.0, 1.0), (-0.5, 1.0), (0.0, 0.0), (-1e-4, 1e-4)])
def test_channels_that_do_not(right: float, left: float, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_audio(written(tmp_path, right, left), 16000)
