"""The frames of MP3s: how many there are, where they lie, and what is made of a header that says something else."""

from __future__ import annotations

import io
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.audio.formats.mpeg import Run, runs, summary
from byola_hear.audio.opening import open_source
from byola_hear.audio.reading import AudioFileError, read_audio

PIANO = Path(__file__).parents[2] / "data" / "piano_stereo_44k.mp3"


def encoded(path: Path, rate: int, seconds: float = 3.0, **options: object) -> bytes:
    """An MP3 that is quiet at first, so that a variable bit rate varies, and loud later."""
    n_samples = round(seconds * rate)
    loudness = np.linspace(0, 1, n_samples) ** 4
    soundfile.write(path, np.random.default_rng(0).standard_normal(n_samples) * 0.2 * loudness, rate, **options)
    return path.read_bytes()


def found(content: bytes) -> list[Run]:
    return runs(io.BytesIO(content), 0, len(content))


def counted(content: bytes) -> int:
    """Samples in all frames, that with the header too."""
    return sum(run.n_frames for run in found(content)) * (1152 if found(content)[0].head >> 11 & 3 == 3 else 576)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_frames_are_counted(tmp_path: Path, rate: int, mode: str) -> None:
    content = encoded(tmp_path / "a.mp3", rate, bitrate_mode=mode, compression_level=0.5)
    (run,) = found(content)
    assert 0 <= counted(content) - 3 * rate < 5 * 1152
    assert run.seconds == pytest.approx(counted(content) / rate)
    assert summary(io.BytesIO(content), [run]).n_promised == summary(io.BytesIO(content), [run]).n_samples
    # Tags before and behind, and noise in between, are no frames.
    tag = b"ID3\x04\x00\x00\x00\x00\x09\x10" + bytes(9 * 128 + 16)
    noise = np.random.default_rng(1).integers(0, 255, 5000, np.uint8).tobytes()
    assert counted(tag + content + noise + tag + content + b"TAG" + bytes(125)) == 2 * counted(content)
    assert found(tag + noise) == []


def test_longer_than_what_is_looked_at_at_a_time() -> None:
    content = PIANO.read_bytes()
    once = counted(content)
    assert len(content) * 120 > 2 << 20
    assert counted(content * 120) == 120 * once
    # What is no longer than a picture in a tag that nobody knows is passed over.
    assert counted(content + bytes(3 << 20) + content) == 2 * once


@pytest.mark.parametrize("length", ["none", "of the first part"])
def test_length_that_libsndfile_would_stop_at_is_corrected(tmp_path: Path, length: str) -> None:
    path = tmp_path / "a.mp3"
    content = encoded(path, 44100, 30.0, bitrate_mode="VARIABLE", compression_level=0.5)
    whole = read_audio(path, 16000)
    assert len(whole) == 480_000
    if length == "none":
        # The frame that says the length, in the first hundreds of bytes, made to say nothing.
        at = content.index(b"Xing")
        path.write_bytes(content[:at] + b"none" + content[at + 4 :])
        assert len(read_audio(path, 16000)) == pytest.approx(480_000, abs=1500)
    else:
        path.write_bytes(content + b"TAG" + bytes(125) + content)
        joined = read_audio(path, 16000)
        assert len(joined) == 960_000
        np.testing.assert_allclose(joined[100:479_900], whole[100:479_900], atol=1e-5)
        np.testing.assert_allclose(joined[480_100:959_900], whole[100:479_900], atol=1e-5)


@pytest.mark.parametrize("silence", [0.0, 5.0])
def test_without_a_length_all_of_a_file_is_read(tmp_path: Path, silence: float) -> None:
    path = tmp_path / "a.mp3"
    noise = np.random.default_rng(0).standard_normal(20 * 44100) * 0.2
    noise[: round(silence * 44100)] = 0
    # libsndfile's estimate is too large by far where small frames come first.
    soundfile.write(path, noise, 44100, bitrate_mode="VARIABLE", compression_level=0.2)
    whole = read_audio(path, 16000)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Xing", b"none", 1))
    samples = read_audio(path, 16000)
    assert len(samples) == pytest.approx(len(whole), abs=1500)
    assert np.square(samples).sum() == pytest.approx(np.square(whole).sum(), rel=0.01)
    assert len(read_audio(path, 16000, start=18.0)) == pytest.approx(32_000, abs=1500)


@pytest.mark.parametrize("padding", [0, 1])
def test_an_mp2_is_read_whole(tmp_path: Path, padding: int) -> None:
    """Frames of 104 or 105 bytes: an estimate from the first is too large or too small by half a second."""
    path = tmp_path / "a.mp2"
    sizes = [104 + (number + padding) % 2 for number in range(4000)]
    frames = [(b"\xff\xfd" + bytes((0x10 | size - 104 << 1, 0xC0))).ljust(size - 1, b"\0") + b"x" for size in sizes]
    path.write_bytes(b"".join(frames))
    if padding and not shutil.which("ffmpeg"):
        with pytest.raises(AudioFileError, match=r"an MP2 of which libsndfile reads only a part; with the program ff"):
            read_audio(path, 16000)
    else:
        assert len(read_audio(path, 16000)) == pytest.approx(4000 * 1152 / 44100 * 16000, abs=1)


def test_truncated_file_with_a_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    content = encoded(path, 44100, 5.0, bitrate_mode="VARIABLE", compression_level=0.5)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioFileError, match=r"a\.mp3: truncated: \d+ of \d+ samples are there"):
        open_source(str(path))
    path.write_bytes(content[:-100])
    with closing(open_source(str(path))) as source:
        assert source.frames == 5 * 44100
