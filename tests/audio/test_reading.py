"""Reading files: every format, whole and in blocks, and one clear error for what can't be read."""

from __future__ import annotations

import io
import re
import shutil
import struct
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byola_hear.audio.libsndfile import SoundFileSource
from byola_hear.audio.reading import AudioFileError, open_source, read_audio, read_blocks
from tests.broken_files import Case, broken_files

DATA = Path(__file__).parents[1] / "data"
#: The real clips: seconds, and the rate and channels that they are stored with.
CLIPS = {
    "ambience_stereo_48k.opus": (2.5, 48000, 2),
    "drum_stereo_44k.flac": (75600 / 44100, 44100, 2),
    "piano_stereo_44k.mp3": (123998 / 44100, 44100, 2),
    "shutter_stereo_96k.ogg": (83734 / 96000, 96000, 2),
    "speech_english_8k.wav": (17330 / 8000, 8000, 1),
    "speech_french_16k.wav": (23662 / 16000, 16000, 1),
}


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(n_samples) * 0.1).astype(np.float32)


def test_the_clips_are_all_described() -> None:
    assert {path.name for path in DATA.iterdir() if path.suffix != ".md"} == set(CLIPS)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("sample_rate", [16000, 48000])
def test_real_clips(name: str, sample_rate: int) -> None:
    seconds, rate, channels = CLIPS[name]
    stored, stored_rate = soundfile.read(DATA / name, dtype="float32", always_2d=True)
    assert (stored_rate, stored.shape[1]) == (rate, channels)
    samples = read_audio(DATA / name, sample_rate)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert abs(len(samples) - seconds * sample_rate) <= 1
    expected = soxr.resample(stored.mean(axis=1), rate, sample_rate, "HQ")
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    assert 0.01 < samples.std() < 0.5


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("block_seconds", [0.05, 0.333, 1.0, 100.0])
def test_blocks_are_the_whole(name: str, block_seconds: float) -> None:
    blocks = list(read_blocks(DATA / name, 16000, block_seconds))
    size = round(block_seconds * 16000)
    assert all(len(block) == size for block in blocks[:-1]) and 1 <= len(blocks[-1]) <= size
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(DATA / name, 16000))


@given(n_samples=st.integers(1, 3000), rate=st.integers(4000, 100000), block=st.integers(1, 4000))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_length_and_rate(tmp_path: Path, n_samples: int, rate: int, block: int) -> None:
    path = tmp_path / "any.wav"
    soundfile.write(path, noise(n_samples), rate, subtype="FLOAT")
    whole = read_audio(path, 16000)
    assert max(1, n_samples * 16000 / rate - 1) <= len(whole) <= n_samples * 16000 / rate + 1
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(path, 16000, block / 16000))), whole)


@pytest.mark.parametrize(("subtype", "tolerance"), [("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_U8", 0.01)])
def test_integers_are_scaled(tmp_path: Path, subtype: str, tolerance: float) -> None:
    samples = noise(1000)
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype=subtype)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", 16000), samples, atol=tolerance)


def test_channels_are_averaged(tmp_path: Path) -> None:
    channels = noise(3000).reshape(1000, 3)
    soundfile.write(tmp_path / "a.wav", channels, 16000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", 16000), channels.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("extension", ["mp3", "ogg", "opus", "flac"])
def test_lengths_of_compressed_files(tmp_path: Path, extension: str) -> None:
    """Codecs pad and delay; what comes out is as long as what went in, at the same place."""
    path = tmp_path / f"a.{extension}"
    samples = np.sin(np.arange(50000) * 0.05).astype(np.float32) * np.linspace(0, 0.5, 50000, dtype=np.float32)
    kind = {"mp3": "MP3", "flac": "FLAC"}.get(extension, "OGG")
    soundfile.write(path, samples, 48000, format=kind, subtype="OPUS" if extension == "opus" else None)
    decoded = read_audio(path, 48000)
    assert len(decoded) == 50000
    assert np.corrcoef(decoded, samples)[0, 1] > 0.99


def test_mp3_is_decoded_without_gaps(tmp_path: Path) -> None:
    """Longer than what is decoded at a time; soundfile's own blocks have gaps here."""
    samples = np.concatenate([noise(200000), np.sin(np.arange(400000) * 0.05).astype(np.float32) * 0.1])
    soundfile.write(tmp_path / "a.mp3", samples, 44100, bitrate_mode="VARIABLE", compression_level=0.3)
    np.testing.assert_array_equal(
        read_audio(tmp_path / "a.mp3", 44100), soundfile.read(tmp_path / "a.mp3", dtype="float32")[0]
    )


def test_blocks_need_no_memory_for_the_length(tmp_path: Path) -> None:
    minute = noise(60 * 16000)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 16000, 1, "PCM_16") as file:
        for _ in range(10):
            file.write(minute)
    tracemalloc.start()
    n_samples = sum(len(block) for block in read_blocks(tmp_path / "long.wav", 8000, 1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_samples == 600 * 8000
    assert peak < 4e6  # the whole is 19.2e6 bytes


def failure(path: Path) -> str:
    """The one line that reading a file fails with, the same for both ways of reading."""
    with pytest.raises(AudioFileError) as whole:
        read_audio(path, 16000)
    with pytest.raises(AudioFileError) as blocks:
        for _ in read_blocks(path, 16000):
            pass
    message = str(whole.value)
    assert str(blocks.value) == message
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "no.wav"))):
        read_audio(tmp_path / "no.wav", 16000)


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(b"whatever root may read")

    def refused(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(AudioFileError, match=r"a\.wav: can't be opened \(permission denied\)$"):
        read_audio(tmp_path / "a.wav", 16000)


@pytest.mark.parametrize("rate", [np.int64(16000), np.uint16(16000), np.array([16000])[0]])
def test_rate_out_of_an_array(rate: Any, tmp_path: Path) -> None:
    name = DATA / "speech_french_16k.wav"
    expected = read_audio(name, 16000)
    np.testing.assert_array_equal(read_audio(name, rate), expected)
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(name, rate, np.float32(0.5)))), expected)
    part = read_audio(name, rate, np.float32(0.5), np.float64(1.0))
    np.testing.assert_array_equal(part, expected[8000:16000])


def test_name_as_bytes() -> None:
    name = DATA / "speech_french_16k.wav"
    np.testing.assert_array_equal(read_audio(bytes(name), 16000), read_audio(name, 16000))


def test_the_content_of_a_file_is_no_path() -> None:
    data = (DATA / "speech_french_16k.wav").read_bytes()
    for content in (data, bytearray(data), io.BytesIO(data)):
        expected = "^expected the path of an audio file, got .*; write the content to a file and give its path$"
        with pytest.raises(TypeError, match=expected):
            read_audio(content, 16000)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=expected):
            next(read_blocks(content, 16000))  # type: ignore[arg-type]


def test_what_is_no_audio_file(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("Dear diary, " * 100)
    soundfile.write(tmp_path / "no_samples.wav", noise(0), 16000)
    assert "folder" in failure(tmp_path)
    assert "empty" in failure(tmp_path / "empty.wav")
    assert "not an audio file" in failure(tmp_path / "text.wav")
    assert "no samples" in failure(tmp_path / "no_samples.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = noise(100000)
    samples[80000] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    assert "NaN or infinite samples, the first at 5.000 s" in failure(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "CAF", "W64", "RF64", "FLAC"])
def test_truncated_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    soundfile.write(path, noise(200000), 16000, format=kind, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert re.search("truncated|damaged|malformed", failure(path))


@pytest.mark.parametrize("name", ["ambience_stereo_48k.opus", "shutter_stereo_96k.ogg"])
def test_of_streams_that_were_cut_what_is_there_is_read(tmp_path: Path, name: str) -> None:
    content = (DATA / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 6 // 10])
    part, whole = read_audio(tmp_path / name, 16000), read_audio(DATA / name, 16000)
    assert 0 < len(part) < len(whole)
    np.testing.assert_allclose(part[:-400], whole[: len(part) - 400], atol=1e-5)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000])
def test_recordings_through_a_pipe_have_no_length_and_are_read(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1000), 16000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    for place in (4, content.index(b"data") + 4):
        content[place : place + 4] = struct.pack("<I", length)
    path.write_bytes(content)
    assert len(read_audio(path, 16000)) == 1000


def test_damage_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(200000), 16000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 30000] = bytes(30000)
    path.write_bytes(content)
    assert "damaged or truncated" in failure(path)


@pytest.mark.parametrize(("sample_rate", "block_seconds"), [(0, 1), (16000.0, 1), (16000, 0), (16000, float("nan"))])
def test_impossible_settings(sample_rate: int, block_seconds: float) -> None:
    with pytest.raises(ValueError, match=r"must be a positive (integer|number), got"):
        next(read_blocks(DATA / "speech_french_16k.wav", sample_rate, block_seconds))


def music(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """Noise below a third of the rate, which changes from place to place and is not loud."""
    white = np.random.default_rng(rate).standard_normal((round(seconds * rate), channels)).astype(np.float32) * 0.2
    return white[2:] + white[1:-1] + white[:-2]


def is_the_part(path: Path, rate: int, start: float, end: float | None, whole: np.ndarray, tolerance: float) -> None:
    stop = None if end is None else round(end * rate)
    expected = whole[round(start * rate) : stop]
    part = read_audio(path, rate, start, end)
    assert part.shape == expected.shape
    np.testing.assert_allclose(part, expected, atol=tolerance, rtol=0)
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(path, rate, 0.3, start, end))), part)


SEGMENTS = [
    (0.0, 0.5),
    (0.0, None),
    (0.1, 0.2),
    (1.0, 2.0),
    (1.23456, 1.5),
    (3.9, 4.0),
    (2.000001, None),
    (3.99, None),
]


@pytest.mark.parametrize(
    "form", ["WAV", "FLAC", "AIFF", "OGG", "OPUS", "MP3", "CAF ALAC_16", "WAV MS_ADPCM", "PAF PCM_24"]
)
@pytest.mark.parametrize("rate", [16000, 48000])
def test_segments_are_parts_of_the_whole(tmp_path: Path, form: str, rate: int) -> None:
    kind, _, subtype = form.partition(" ")
    path = tmp_path / f"a.{kind.lower()}"
    kind, subtype = ("OGG", "OPUS") if kind == "OPUS" else (kind, subtype)
    soundfile.write(path, music(4.0, 48000, 2), 48000, format=kind, subtype=subtype or None)
    whole = read_audio(path, rate)
    # Without a change of rate there is nothing that could differ, but for Opus, whose decoder has a long memory.
    tolerance = 1e-6 if rate != 48000 or subtype == "OPUS" else 0
    for start, end in SEGMENTS:
        is_the_part(path, rate, start, end, whole, tolerance)


def test_segments_of_opus_at_a_low_bit_rate(tmp_path: Path) -> None:
    """Its decoder has a longer memory there; what is more than half a minute before the end is found by seeking."""
    path = tmp_path / "a.opus"
    speech = np.tile(read_audio(DATA / "speech_french_16k.wav", 16000), 45)
    soundfile.write(path, speech, 16000, format="OGG", subtype="OPUS", compression_level=0.95)
    whole = read_audio(path, 16000)
    assert len(whole) > 62 * 16000
    for start in np.linspace(3.0, 31.0, 15).round(2):
        is_the_part(path, 16000, start, start + 0.5, whole, 1e-6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=st.sampled_from([1000, 8000, 11025, 16001, 22050, 22254, 24000, 32000, 44056, 44100, 48000, 88200, 192000]),
    wanted=st.sampled_from([8000, 16000, 22050, 48000]),
    places=st.tuples(st.floats(0, 3), st.floats(0.001, 1)),
)
def test_segments_at_any_rate(tmp_path: Path, stored: int, wanted: int, places: tuple[float, float]) -> None:
    """Common ratios, and those of which the resampler has no exact phases."""
    path = tmp_path / f"{stored}.wav"
    if not path.exists():
        soundfile.write(path, music(4.01, stored), stored, subtype="FLOAT")
    start = places[0]
    end = start + max(places[1], 2 / wanted)
    is_the_part(path, wanted, start, min(end, 4.0), read_audio(path, wanted), 1e-6)


def test_a_segment_is_found_by_seeking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.tile(music(1.0, 44100), (60, 1)), 44100)
    n_decoded = 0
    decoded = SoundFileSource._decoded

    def counted(self: SoundFileSource):
        nonlocal n_decoded
        for piece in decoded(self):
            n_decoded += len(piece)
            yield piece

    monkeypatch.setattr(SoundFileSource, "_decoded", counted)
    assert len(read_audio(path, 16000, 50.0, 50.5)) == 8000
    assert n_decoded < 3 * 44100


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *((-1.0, None), (np.nan, None), (np.inf, None), (0.0, np.nan), (0.0, np.inf)),
        *((1.0, 1.0), (2.0, 1.0), (0.0, 0.0), (1.0, 1.00001), ("0", None), (0.0, "1")),
    ],
)
def test_what_is_no_segment(start: float, end: float | None) -> None:
    with pytest.raises(ValueError, match="0 <= start < end, in seconds, got start=|holds no sample at 16000 Hz"):
        read_audio(DATA / "speech_french_16k.wav", 16000, start, end)


@pytest.mark.parametrize("name", CLIPS)
def test_segments_that_the_file_does_not_have(name: str) -> None:
    seconds = CLIPS[name][0]
    with pytest.raises(AudioFileError, match=rf"begins at 3 s, the file ends at {seconds:.3f} s"):
        read_audio(DATA / name, 16000, 3.0, 4.0)
    with pytest.raises(AudioFileError, match=rf"from 0.5 s ends at 3 s, the file at {seconds:.3f} s"):
        read_audio(DATA / name, 16000, 0.5, 3.0)
    # An end that was rounded up is the file's.
    rounded = read_audio(DATA / name, 16000, 0.5, seconds + 0.04)
    np.testing.assert_array_equal(rounded, read_audio(DATA / name, 16000, 0.5))


def test_flac_through_a_pipe_has_no_length_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(100000), 16000)
    content = bytearray(path.read_bytes())
    # The number of samples: the last 36 bits before the MD5 sum of the first block.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    whole = read_audio(path, 16000)
    assert len(whole) == 100000
    np.testing.assert_array_equal(read_audio(path, 16000, 3.0, 4.0), whole[48000:64000])


def test_damage_before_a_segment_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(1_000_000), 16000)
    whole = read_audio(path, 16000)
    content = bytearray(path.read_bytes())
    content[100_000] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match="damaged"):
        read_audio(path, 16000)
    np.testing.assert_array_equal(read_audio(path, 16000, 50.0, 51.0), whole[800_000:816_000])


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return broken_files(tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize("with_ffmpeg", [False, True])
def test_broken_and_strange_files(cases: list[Case], monkeypatch: pytest.MonkeyPatch, with_ffmpeg: bool) -> None:
    if not with_ffmpeg:
        monkeypatch.setenv("PATH", "")
    elif not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    assert sum(case.error is not None for case in cases) >= 20
    for path, error, seconds in cases:
        if error is None:
            assert seconds is not None
            assert len(read_audio(path, 16000)) == pytest.approx(seconds * 16000, abs=1), path
            assert np.isfinite(read_audio(path, 16000)).all()
            continue
        with pytest.raises((AudioFileError, FileNotFoundError), match=re.escape(error)) as raised:
            read_audio(path, 16000)
        message = str(raised.value)
        assert str(path) in message and "\n" not in message.replace(str(path), "")


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(AudioFileError, match=r"can't be opened \(.*embedded null"):
        read_audio("null\0.wav", 16000)


def test_few_samples_a_second_need_no_memory(tmp_path: Path) -> None:
    """1600 samples for each that is there."""
    soundfile.write(tmp_path / "a.wav", noise(20000), 10)
    tracemalloc.start()
    n_samples = sum(len(block) for block in read_blocks(tmp_path / "a.wav", 16000, 10.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_samples == 2000 * 16000
    assert peak < 20e6  # the whole is 128e6 bytes


def test_a_source_tells_what_it_is() -> None:
    with closing(open_source(str(DATA / "drum_stereo_44k.flac"))) as source:
        assert (source.container, source.codec, source.channels) == ("FLAC", "PCM_16", 2)
        assert (source.sample_rate, source.frames, source.position) == (44100, 75600, 0)
        source.skip_to(70000)
        assert sum(len(piece) for piece in source.pieces()) == 5600
        assert source.position == 75600
