"""Reading by ffmpeg: what it gives where it is installed, and, with a stand-in for it, what is made of that."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from byola_hear.audio.ffmpeg import FfmpegSource
from byola_hear.audio.reading import (
    AUDIO_SUFFIXES,
    AudioFileError,
    audio_suffixes,
    open_source,
    read_audio,
    read_blocks,
)
from tests.odd_files import ID3V2

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

#: Behaves as ffmpeg does: tells of the file, writes AU, then does what the file's content says.
STAND_IN = f"""#!{sys.executable}
import os, struct, sys, time
given = sys.argv[sys.argv.index("-i") + 1]
assert given.startswith("file:") and "-nostdin" in sys.argv, sys.argv
what = open(given[5:]).read().split()[1]
say = lambda *lines: (print(*lines, sep="\\n", file=sys.stderr), sys.stderr.flush())
if what == "unreadable":
    say("[error] " + given + ": Invalid data found when processing input")
    sys.exit(1)
if what == "begs":
    say("[wmavoice @ 0x1] [warning] WMAPro-in-WMAVoice is not implemented.", "[wmavoice @ 0x1] [warning] If you want "
        "to help, upload a sample of this file", "[info] Conversion failed!")
    sys.exit(1)
form = "flac" if what == "flac" else "matroska,webm"
say("[info] Input #0, " + form + ", from '" + given + "':", "[info]   Duration: 00:00:02.50, start: 0.000000")
say("[info]   Stream #0:0(eng): Audio: opus, 8000 Hz, stereo, fltp")
say("[info] Output #0, au, to 'pipe:1':", "[info]   Stream #0:0: Audio: pcm_f32be, 8000 Hz, stereo, flt")
out = sys.stdout.buffer
rate, channels, encoding = 8000, 2, 7 if what == "integers" else 6
out.write(struct.pack(">4s5I8x", b".snd", 32, 0xFFFFFFFF, encoding, rate, channels))
if what == "flac":
    sys.exit(0)
second = b"".join(struct.pack(">2f", index / 8000, -0.5) for index in range(8000))
out.write(second)
out.write(second)
if what == "talkative":
    out.flush()
    while True:
        os.write(2, b"[opus @ 0x1] [warning] something is odd\\n")
if what == "endless":
    open(given[5:] + ".pid", "w").write(str(os.getpid()))
    while True:
        out.write(second)
if what == "complete":
    out.write(second[:32000])
if what == "stops":
    say("[warning] Guessed Channel Layout for Input Stream #0.0 : stereo", "[info] Conversion failed!")
    sys.exit(1)
if what == "half_a_sample":
    out.write(second[:32003])
if what == "chatty":
    for _ in range(20000):
        say("[opus @ 0x1] [warning] something is odd")
    out.write(second[:32000])
out.flush()
if what == "damaged":
    say("[opus @ 0x1] [error] Error parsing the packet header", "[info] Conversion failed!")
    sys.exit(1)
if what == "complains":
    say("[matroska,webm @ 0x1] [error] File ended prematurely")
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files, with the stand-in on PATH as ``ffmpeg``."""
    if os.name == "nt":
        pytest.skip("scripts are no programs on Windows")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ffmpeg"
    program.write_text(STAND_IN)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def told(folder: Path, what: str) -> str:
    path = folder / f"{what}.m4a"
    path.write_text(f"stand-in {what}")
    return str(path)


@pytest.mark.parametrize("what", ["complete", "half_a_sample", "chatty"])
def test_samples_from_the_pipe(stand_in: Path, what: str) -> None:
    path = told(stand_in, what)
    samples = read_audio(path, 8000)
    second = (np.arange(8000) / 8000 - 0.5) / 2
    np.testing.assert_allclose(samples, np.concatenate([second, second, second[:4000]]), atol=1e-7)
    np.testing.assert_array_equal(read_audio(path, 8000, 0.75, 1.25), samples[6000:10000])
    with closing(open_source(path)) as source:
        assert (source.container, source.codec, source.header_seconds) == ("matroska,webm", "opus", 2.5)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("unreadable", r"not an audio file that can be read \(ffmpeg: Invalid data found when processing input\)"),
        ("damaged", r"damaged or truncated: decoding ends after 2.00 s \(ffmpeg: Error parsing the packet header\)"),
        ("complains", r"damaged or truncated: decoding ends after 2.00 s \(ffmpeg: File ended prematurely\)"),
        ("stops", r"damaged or truncated: decoding ends after 2.00 s \(ffmpeg: it ended with exit code 1\)"),
        ("flac", r"damaged or truncated: decoding ends after 0.00 s \(the header states 2.50 s\)"),
        ("begs", r"not an audio file that can be read \(ffmpeg: WMAPro-in-WMAVoice is not implemented\)"),
        ("short", r"damaged or truncated: decoding ends after 2.00 s \(the header states 2.50 s\)"),
        ("integers", "unexpected output of ffmpeg"),
    ],
)
def test_what_goes_wrong_is_one_error(stand_in: Path, what: str, message: str) -> None:
    path = told(stand_in, what)
    with pytest.raises(AudioFileError, match=message) as raised:
        read_audio(path, 16000)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_who_stops_reading_ends_ffmpeg(stand_in: Path) -> None:
    path = told(stand_in, "endless")
    blocks: Any = read_blocks(path, 8000, 1.0)  # a generator
    next(blocks)
    assert len(read_audio(path, 8000, 0.0, 100.0)) == 800_000
    process = int(Path(path + ".pid").read_text())
    blocks.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("ffmpeg goes on though nobody reads")


def test_what_ffmpeg_says_is_read_while_it_goes_on(stand_in: Path) -> None:
    path = told(stand_in, "talkative")
    for _ in range(20):  # the two have to meet within microseconds
        with closing(open_source(path)) as source:
            assert (source.container, source.codec, source.header_seconds) == ("matroska,webm", "opus", 2.5)


@needs_ffmpeg
def test_playlist_never_brings_another_file_in(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "other.wav", np.zeros(8000), 16000)
    (tmp_path / "list.m4a").write_text("ffconcat version 1.0\nfile other.wav\n")
    with pytest.raises(AudioFileError, match=r"list\.m4a: expected an audio file, got a playlist of other files"):
        read_audio(tmp_path / "list.m4a", 16000)


def test_names_are_never_protocols_or_options(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stand_in)
    for name in ("-i", "concat:a|b", "http:", "pipe:0", "a%03d.m4a", "données\n♫"):
        Path(name).write_text("stand-in complete")
        assert len(read_audio(name, 8000)) == 20000


def test_an_ffmpeg_that_does_not_start(stand_in: Path) -> None:
    path = told(stand_in, "complete")
    (stand_in.parent / "bin" / "ffmpeg").write_text("#!/nowhere/interpreter\n")
    with pytest.raises(AudioFileError, match=r"complete.m4a: ffmpeg can't be started"):
        read_audio(path, 8000)


def test_without_a_folder_for_temporary_files(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(stand_in / "nowhere"))
    with pytest.raises(AudioFileError, match=r"complete.m4a: can't be read: ffmpeg needs a temporary file \(.*nowhere"):
        read_audio(told(stand_in, "complete"), 16000)


def test_suffixes_depend_on_ffmpeg(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {".m4a", ".wma", ".mp4", ".wav"} <= audio_suffixes()
    monkeypatch.setenv("PATH", "")
    assert audio_suffixes() == AUDIO_SUFFIXES
    with pytest.raises(AudioFileError, match=r"Format not recognised; with the program ffmpeg on PATH, more formats"):
        read_audio(told(stand_in, "complete"), 8000)


def encoded(folder: Path, name: str, *options: str) -> Path:
    """Ten seconds of a stereo recording, encoded by ffmpeg."""
    rate, times = 44100, np.arange(441000) / 44100
    noise = np.random.default_rng(0).standard_normal((441000, 2)) * 0.02
    samples = noise + 0.3 * np.sin(2 * np.pi * 300 * times * (1 + times / 10))[:, None] * [[1.0, 0.5]]
    soundfile.write(folder / "original.wav", samples, rate)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(folder / "original.wav"), *options, str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this ffmpeg can't write {name}: {done.stderr.strip()}")
    return folder / name


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ["-c:a", "aac"]),
        ("lossless.m4a", ["-c:a", "alac"]),
        ("a.wv", []),
        ("a.tta", []),
        ("a.webm", ["-c:a", "libopus"]),
        ("a.mka", ["-c:a", "flac"]),
        ("surround.m4a", ["-ac", "6"]),
    ],
)
def test_formats_that_only_ffmpeg_reads(tmp_path: Path, name: str, options: list[str]) -> None:
    path = encoded(tmp_path, name, *options)
    original, samples = read_audio(tmp_path / "original.wav", 16000), read_audio(path, 16000)
    with closing(open_source(str(path))) as source:
        assert isinstance(source, FfmpegSource)
        assert source.header_seconds == pytest.approx(10.0, abs=0.03)
    assert abs(len(samples) - 160_000) <= 0.03 * 16000
    assert np.corrcoef(samples[:160_000], original[: len(samples)])[0, 1] > 0.99
    np.testing.assert_allclose(read_audio(path, 16000, 7.0, 8.5), samples[112_000:136_000], atol=1e-6)
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(path, 16000, 0.7))), samples)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "a.mka", "a.webm", "a.wma"])
def test_a_track_that_begins_later_than_its_file_is_complete(tmp_path: Path, name: str) -> None:
    path = encoded(tmp_path, name, "-copyts", "-output_ts_offset", "3")
    with closing(open_source(str(path))) as source:
        assert source.header_seconds == pytest.approx(10.0, abs=0.06)
    assert len(read_audio(path, 16000)) == pytest.approx(160_000, abs=1000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(AudioFileError, match="truncated|not an audio file"):
        read_audio(path, 16000)


@needs_ffmpeg
def test_wma_of_a_live_stream_is_not_measured_by_an_estimate(tmp_path: Path) -> None:
    content = bytearray(encoded(tmp_path, "a.wma").read_bytes())
    # Its header states no length, so ffmpeg estimates one from the size of the file.
    content[content.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 88] |= 1
    (tmp_path / "b.wma").write_bytes(content)
    np.testing.assert_array_equal(read_audio(tmp_path / "b.wma", 16000), read_audio(tmp_path / "a.wma", 16000))
    (tmp_path / "c.wma").write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(AudioFileError, match="truncated"):
        read_audio(tmp_path / "c.wma", 16000)


@needs_ffmpeg
def test_a_wavpack_file_of_a_day_is_no_truncated_one(tmp_path: Path) -> None:
    """Numbers of samples beyond 32 bits, 25 hours at 48 kHz, have their high bits elsewhere in a block's head."""
    content = bytearray(encoded(tmp_path, "a.wv").read_bytes())
    total = (1 << 32) + 100_000
    shift = total - struct.unpack_from("<I", content, 12)[0]
    block = 0
    while content[block : block + 4] == b"wvpk":
        size, first = (struct.unpack_from("<I", content, block + at)[0] for at in (4, 16))
        first += shift
        numbers = (first >> 32, total >> 32, (total + (total >> 32)) & 0xFFFFFFFF, first & 0xFFFFFFFF)
        struct.pack_into("<BBII", content, block + 10, *numbers)
        block += 8 + size
    (tmp_path / "b.wv").write_bytes(content)
    np.testing.assert_array_equal(read_audio(tmp_path / "b.wv", 16000), read_audio(tmp_path / "a.wv", 16000))
    (tmp_path / "c.wv").write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(AudioFileError, match=f"truncated: [0-9]+ of {total} samples"):
        read_audio(tmp_path / "c.wv", 16000)


@needs_ffmpeg
def test_the_sound_of_a_video(tmp_path: Path) -> None:
    path = encoded(
        tmp_path, "a.mp4", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:a", "aac", "-map", "1", "-map", "0"
    )
    assert len(read_audio(path, 16000)) == pytest.approx(160_000, abs=500)
    silent = encoded(tmp_path, "b.mp4", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-map", "1:v")
    with pytest.raises(AudioFileError, match=r"b\.mp4: not an audio file .*: it contains no audio track$"):
        read_audio(silent, 16000)


@needs_ffmpeg
def test_the_error_of_a_file_after_a_tag_quotes_no_input_of_ffmpeg(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(ID3V2 + np.random.default_rng(0).bytes(50))
    with pytest.raises(AudioFileError, match=r"a\.mp3: not an audio file that can be read \(ffmpeg: [A-Z][^:]*\)"):
        read_audio(tmp_path / "a.mp3", 16000)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "a.wv", "a.mka", "a.tta"])
def test_files_that_are_cut_or_damaged(tmp_path: Path, name: str) -> None:
    path = encoded(tmp_path, name)
    content = path.read_bytes()
    (tmp_path / f"cut_{name}").write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(AudioFileError, match="truncated|not an audio file"):
        read_audio(tmp_path / f"cut_{name}", 16000)
