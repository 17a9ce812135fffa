"""Every kind of odd file is read whole, or refused for a true reason."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from byola_hear.audio.opening import open_bytes, open_source
from byola_hear.audio.reading import AudioFileError, read_audio
from tests.broken_files import tone
from tests.odd_files import Odd, encoded, gsm_in_wav, odd_files, written

ODD_FILES = {odd.name: odd for odd in odd_files()}


def test_kinds_have_names_of_their_own() -> None:
    assert len(ODD_FILES) == len(odd_files()) > 150


@pytest.mark.parametrize(
    ("name", "with_ffmpeg"),
    [*((name, False) for name in ODD_FILES), *((name, True) for name, odd in ODD_FILES.items() if odd.ffmpeg)],
)
def test_odd_file(name: str, with_ffmpeg: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ODD_FILES[name]
    if not with_ffmpeg:
        monkeypatch.setenv("PATH", "")
    elif not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    path = written(tmp_path, odd)
    if odd.error or (odd.ffmpeg and not with_ffmpeg):
        with pytest.raises(AudioFileError) as raised:
            read_audio(path, 16000)
        message = str(raised.value)
        assert (odd.error or "with the program ffmpeg on PATH, more formats can") in message
        assert message.startswith(f"{path}: ") and "\n" not in message
        return
    samples = read_audio(path, 16000)
    if odd.like is not None:
        expected = _read(odd._replace(content=odd.like), tmp_path)
        np.testing.assert_allclose(samples, expected, atol=1e-6)
    if odd.seconds is not None:
        assert len(samples) == pytest.approx(odd.seconds * 16000, abs=0.1 * 16000)
    # A segment is the same part, wherever it is sought.
    part = read_audio(path, 16000, 0.5, 0.75)
    np.testing.assert_allclose(part, samples[8000:12000], atol=1e-5)


def _read(odd: Odd, folder: Path) -> np.ndarray:
    return read_audio(written(folder, odd), 16000)


def test_chain_is_one_sound(tmp_path: Path) -> None:
    good = encoded("OGG", "VORBIS")
    (tmp_path / "a.ogg").write_bytes(good * 3)
    (tmp_path / "one.ogg").write_bytes(good)
    one = read_audio(tmp_path / "one.ogg", 16000)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.ogg", 16000), np.tile(one, 3))
    with closing(open_source(str(tmp_path / "a.ogg"))) as source:
        assert source.frames == 3 * len(one)
        source.skip_to(len(one) + 100)
        rest = np.concatenate(list(source.pieces()))[:, 0]
        np.testing.assert_allclose(rest, np.tile(one, 2)[100:], atol=1e-6)
        assert source.position == source.frames


def test_segments_of_flac_recorded_from_a_stream(tmp_path: Path) -> None:
    # libsndfile seeks by the numbers in the frames, which begin at 8192.
    path = written(tmp_path, ODD_FILES["FLAC recorded from a stream"])
    samples = read_audio(path, 16000)
    np.testing.assert_array_equal(read_audio(path, 16000, 0.1, 0.2), samples[1600:3200])
    np.testing.assert_array_equal(read_audio(path, 16000, 0.8, 0.9), samples[12800:14400])


def test_no_block_of_noise_follows_an_odd_number_of_blocks_of_gsm(tmp_path: Path) -> None:
    # libsndfile takes the byte of padding behind them for another block.
    (tmp_path / "a.wav").write_bytes(gsm_in_wav())
    with closing(open_source(str(tmp_path / "a.wav"))) as source:
        samples = np.concatenate(list(source.pieces()))
        assert source.frames == len(samples) == 75 * 320 == len(tone())
        assert np.abs(samples[-320:]).max() < 0.5


@pytest.mark.parametrize("name", ["WAV of unknown length 0x0", "FLAC that counts 8000", "two streams of Opus"])
def test_bytes_in_memory_are_read_as_the_file_is(name: str, tmp_path: Path) -> None:
    odd = ODD_FILES[name]
    with closing(open_bytes("in memory", odd.content)) as source:
        samples = np.concatenate(list(source.pieces()))
    with closing(open_source(str(written(tmp_path, odd)))) as source:
        np.testing.assert_array_equal(samples, np.concatenate(list(source.pieces())))
    with pytest.raises(AudioFileError, match=r"^in memory: truncated"):
        open_bytes("in memory", encoded("WAV")[:-5000])


def test_file_beyond_four_gibibytes_whose_sizes_overflowed(tmp_path: Path) -> None:
    """The file is sparse: nothing of it is on disk but its ends."""
    n_bytes = (1 << 32) + 64_000
    header = bytearray(encoded("WAV")[:44])
    header[4:8] = ((36 + n_bytes) % (1 << 32)).to_bytes(4, "little")
    header[40:44] = (n_bytes % (1 << 32)).to_bytes(4, "little")
    path = tmp_path / "long.wav"
    with open(path, "wb") as file:
        file.write(header)
        try:
            file.truncate(44 + n_bytes)
        except OSError:
            pytest.skip("the file system has no sparse files")
        file.seek(-2000, 2)
        file.write(b"\x00\x40" * 1000)
    with closing(open_source(str(path))) as source:
        assert source.frames == n_bytes // 2
        source.skip_to(n_bytes // 2 - 1500)
        rest = np.concatenate(list(source.pieces()))[:, 0]
    np.testing.assert_array_equal(rest, np.repeat(np.array([0, 0.5], np.float32), [500, 1000]))
