from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.decode import pcm_digest, to_training_form, unusable, write_flac
from tests.pretraining.corpora.samples import noise


@given(rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]), seconds=st.floats(0.01, 2))
def test_resampling_keeps_the_seconds(rate: int, seconds: float) -> None:
    samples = noise(seconds, rate)
    assert abs(len(to_training_form(samples, rate)) - len(samples) * 16000 / rate) <= 1


def test_channels_are_averaged_and_samples_clipped() -> None:
    stereo = np.array([[0.5, -0.25], [3.0, 3.0], [-3.0, -3.0], [np.nan, 0.0]], np.float32)
    assert to_training_form(stereo, 16000).tolist() == [4096, 32767, -32768, 0]


@pytest.mark.parametrize(("shape", "rate"), [((2, 2, 2), 16000), ((4,), 0)])
def test_other_shapes_and_rates_are_refused(shape: tuple[int, ...], rate: int) -> None:
    with pytest.raises(ValueError, match=r"expected samples of shape"):
        to_training_form(np.zeros(shape, np.float32), rate)


@given(pcm=st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_flac_keeps_every_sample_and_duplicates_have_one_digest(
    pcm: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("flac") / "folder" / "a.flac"
    samples = np.array(pcm, np.int16)
    write_flac(path, samples)
    read, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    assert read.tolist() == pcm
    assert pcm_digest(read) == pcm_digest(samples)
    assert [file.name for file in path.parent.iterdir()] == ["a.flac"]


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
@pytest.mark.parametrize("seconds", [0.2, 2.0])
def test_flac_on_a_full_disk_is_an_error_and_leaves_nothing(seconds: float, tmp_path: Path) -> None:
    import resource

    pcm = to_training_form(noise(seconds), 16000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_flac(tmp_path / "a.flac", pcm)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_short_and_silent_sounds_are_unusable() -> None:
    assert unusable(np.zeros(0, np.int16)) == "short"
    assert unusable(np.full(700, 3000, np.int16)) == "short"
    assert unusable(np.full(1600, -20, np.int16)) == "silent"
    assert unusable(np.full(1600, -32768, np.int16)) is None
