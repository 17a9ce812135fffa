"""One decoder for all that the benchmark reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from benchmark.datasets.decoding import decoded, to_int16
from benchmark.datasets.labelled_set import kept_samples


def encoded(samples: np.ndarray, rate: int, format: str = "WAV", subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=format, subtype=subtype)
    return stream.getvalue()


def noise(n_samples: int, n_channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (n_samples, n_channels)).astype(np.float32)


def test_channels_are_averaged_and_the_rate_is_the_files() -> None:
    samples = noise(500, 2)
    sound = decoded(encoded(samples, 22050, subtype="FLOAT"), "a.wav")
    assert (sound.sample_rate, sound.codec) == (22050, "FLOAT")
    np.testing.assert_allclose(sound.samples, samples.mean(1), atol=1e-7)


@pytest.mark.parametrize("quality", ["HQ", "VHQ"])
def test_another_rate_is_soxrs(quality: str) -> None:
    sound = decoded(encoded(noise(4410), 44100), "a.wav")
    np.testing.assert_array_equal(sound.at(16000, quality), soxr.resample(sound.samples, 44100, 16000, quality=quality))
    assert len(decoded(encoded(noise(1), 44100), "a.wav").at(16000)) == 1


@pytest.mark.parametrize(("format", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "OPUS")])
def test_16_bits_are_those_of_libsndfile(format: str, subtype: str) -> None:
    """Tasks are known by a hash of their samples: their decoding must not change."""
    content = encoded(noise(16000), 16000, format, subtype)
    expected, _ = soundfile.read(io.BytesIO(content), dtype="int16")
    np.testing.assert_array_equal(kept_samples(decoded(content, "a")), expected)


@pytest.mark.parametrize("name", ["speech_english_8k.wav", "drum_stereo_44k.flac"])
def test_bytes_and_files_give_the_same(clips_folder: Path, name: str) -> None:
    path = clips_folder / name
    np.testing.assert_array_equal(decoded(path, name).samples, decoded(path.read_bytes(), name).samples)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no sound", "not an audio file"),
        (encoded(noise(0), 16000), "no samples"),
        (encoded(noise(1000), 16000)[:-200], "truncated"),
        (encoded(np.full((10, 1), np.nan, np.float32), 16000, subtype="FLOAT"), "NaN"),
    ],
)
def test_what_can_not_be_decoded_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"^set/a\.wav: could not be decoded: .*{reason}") as caught:
        decoded(content, "set/a.wav")
    assert "/tmp" not in str(caught.value)


def test_16_bits_are_clipped() -> None:
    assert to_int16(np.array([-1.5, 1.5, 0.25], np.float32)).tolist() == [-32768, 32767, 8192]
