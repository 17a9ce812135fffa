"""The length of MP3s by their frames, and what is made of those whose header says something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.audio.mpeg import counted_samples
from byola_hear.audio.reading import AudioFileError, read_audio

PIANO = Path(__file__).parents[1] / "data" / "piano_stereo_44k.mp3"


def encoded(path: Path, rate: int, seconds: float = 3.0, **options: object) -> bytes:
    """An MP3 that is quiet at first, so that a variable bit rate varies, and loud later."""
    n_samples = round(seconds * rate)
    loudness = np.linspace(0, 1, n_samples) ** 4
    soundfile.write(path, np.random.default_rng(0).standard_normal(n_samples) * 0.2 * loudness, rate, **options)
    return path.read_bytes()


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_frames_are_counted(tmp_path: Path, rate: int, mode: str) -> None:
    path = tmp_path / "a.mp3"
    content = encoded(path, rate, bitrate_mode=mode, compression_level=0.5)
    counted = counted_samples(str(path))
    assert counted % (1152 if rate >= 32000 else 576) == 0
    assert 0 <= counted - 3 * rate < 5 * 1152
    # Tags before and behind, and noise in between, are no frames.
    tag = b"ID3\x04\x00\x00\x00\x00\x09\x10" + bytes(9 * 128 + 16)
    noise = np.random.default_rng(1).integers(0, 255, 5000, np.uint8).tobytes()
    path.write_bytes(tag + content + noise + tag + content + b"TAG" + bytes(125))
    assert counted_samples(str(path)) == 2 * counted
    path.write_bytes(tag + noise)
    assert counted_samples(str(path)) == 0


def test_longer_than_what_is_looked_at_at_a_time(tmp_path: Path) -> None:
    content = PIANO.read_bytes()
    once = counted_samples(str(PIANO))
    (tmp_path / "long.mp3").write_bytes(content * 120)
    assert len(content) * 120 > 2 << 20
    assert counted_samples(str(tmp_path / "long.mp3")) == 120 * once
    # What is no longer than a picture in a tag that nobody knows is passed over.
    (tmp_path / "gap.mp3").write_bytes(content + bytes(3 << 20) + content)
    assert counted_samples(str(tmp_path / "gap.mp3")) == 2 * once


def test_an_mp3_that_would_be_read_in_part_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "a.mp3"
    content = encoded(path, 44100, 30.0, bitrate_mode="VARIABLE", compression_level=0.5)
    assert len(read_audio(path, 16000)) == 480_000
    # The frame that says the length, in the first hundreds of bytes, made to say nothing.
    at = content.index(b"Xing")
    path.write_bytes(content[:at] + b"none" + content[at + 4 :])
    with pytest.raises(AudioFileError, match=r"an MP3 of about 30\.\d s of which libsndfile would read the first"):
        read_audio(path, 16000)
    path.write_bytes(content + content)
    with pytest.raises(
        AudioFileError, match=r"an MP3 of about 60\.\d s of which libsndfile would read the first 30.0 s"
    ):
        read_audio(path, 16000)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_ffmpeg_reads_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    content = encoded(path, 44100, 30.0, bitrate_mode="VARIABLE", compression_level=0.5)
    at = content.index(b"Xing")
    path.write_bytes(content[:at] + b"none" + content[at + 4 :])
    assert len(read_audio(path, 16000)) == pytest.approx(480_000, abs=3000)
