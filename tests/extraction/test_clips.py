"""Clips: what they are made of, where they are found, and how they are shared out."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.extraction.clips import Clip, find_clips, parse_shard, read_list, shard
from tests.extraction.some_files import make, missing


@pytest.mark.parametrize("file", [Path("a.wav"), b"a.wav", np.str_("a.wav"), Path("x/../a.wav").name])
@pytest.mark.parametrize(
    ("start", "end"), [(1, 2), (np.float64(1), np.float32(2)), (np.int64(1), np.int16(2)), (np.array([1.0])[0], 2.0)]
)
def test_a_clip_has_plain_values(file: Any, start: Any, end: Any) -> None:
    clip = Clip(file, start, end)
    assert clip == Clip("a.wav", 1.0, 2.0)
    assert [type(value) for value in vars(clip).values()] == [str, float, float]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "expected a clip's file as a path, got int"),
        (("a.wav", "1"), TypeError, "expected a clip's start in seconds, got '1'"),
        (("a.wav", None), TypeError, "expected a clip's start in seconds, got None"),
        (("a.wav", 0, True), TypeError, "expected a clip's end in seconds, got True"),
        (("a.wav", -0.5), ValueError, "expected a segment with 0 <= start < end .*got start=-0.5, end=None: a.wav"),
        (("a.wav", 2, 1), ValueError, "got start=2.0, end=1.0"),
        (("a.wav", 0, float("nan")), ValueError, "end=None for the file's end, got start=0.0, end=nan"),
        (("a.wav", float("nan")), ValueError, "got start=nan"),
        (("a.wav", 0, float("inf")), ValueError, "end=inf"),
        (("a.wav", float("inf")), ValueError, "start=inf"),
    ],
)
def test_what_is_not_a_clip(arguments: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Clip(*arguments)


def test_what_does_not_exist_is_reported_and_the_rest_is_found(here: Path) -> None:
    (here / "none").mkdir()
    files, absent = missing("nowhere.wav", "d/a.mp3", "none", "d/*.ogg", "d/**/*.ogg")
    assert files == ["d/a.mp3"]
    assert absent == [
        ("nowhere.wav", "no such file or folder"),
        ("none", "no audio files in the folder"),
        ("d/*.ogg", "no file matches the pattern"),
        ("d/**/*.ogg", "no file matches the pattern"),
    ]
    with pytest.raises(FileNotFoundError, match=r"no such file or folder: nowhere.wav"):
        find_clips(["d", "nowhere.wav"])
    with pytest.raises(ValueError, match="no audio files in the folder: none"):
        find_clips(["none"])


def test_a_folder_of_files_that_only_ffmpeg_reads(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(here, "memos/1.m4a", "memos/deep/2.WMA", "memos/notes.txt")
    monkeypatch.setenv("PATH", "")
    what = "no audio files in the folder but 2 files that only the program ffmpeg reads, which is not on PATH"
    assert missing("memos") == ([], [("memos", what)])
    make(here, "memos/3.wav")
    assert missing("memos") == (["memos/3.wav"], [])


def test_names_that_are_not_text(here: Path) -> None:
    name = b"n\xe9\xff\n1.wav"
    try:
        (here / "d" / os.fsdecode(name)).touch()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    (clip,) = (clip for clip in find_clips(["d"]) if "\n" in clip.file)
    assert os.fsencode(clip.file) == b"d/" + name
    assert find_clips(lists=[io.BytesIO(b"d/" + name + b"\0")]) == [clip]


@pytest.mark.parametrize(
    "content",
    [
        b"d/a.mp3\nd/b/1.flac\n",
        b"d/a.mp3\r\n\r\n  \r\nd/b/1.flac",
        b"d/a.mp3\0d/b/1.flac\0",
        b"\xef\xbb\xbfd/a.mp3\n./d/b/1.flac",
        # Windows PowerShell's `>`, and the same in the other order of bytes.
        "\ufeffd/a.mp3\r\nd/b/1.flac\r\n".encode("utf-16-le"),
        "\ufeffd/a.mp3\nd/b/1.flac".encode("utf-16-be"),
    ],
)
def test_lists(here: Path, content: bytes) -> None:
    assert find_clips(lists=[io.BytesIO(content)]) == [Clip("d/a.mp3"), Clip("d/b/1.flac")]
    (here / "list.txt").write_bytes(content)
    assert find_clips(["d/b.wav"], lists=["list.txt"]) == [Clip("d/b.wav"), Clip("d/a.mp3"), Clip("d/b/1.flac")]


def test_a_list_in_another_encoding_is_refused_where_names_are_text(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "list.txt").write_bytes("G\xe4nse.wav\n".encode("latin-1"))
    assert find_clips(lists=["list.txt"]) == [Clip("G\udce4nse.wav")]
    decoded = {"encoding": "utf-8", "errors": "surrogatepass"}  # as on Windows
    monkeypatch.setattr(os, "fsdecode", lambda name: str(name, **decoded) if isinstance(name, bytes) else str(name))
    with pytest.raises(ValueError, match=r"^expected a text file of paths in UTF-8 as the list, got .*: list\.txt$"):
        find_clips(lists=["list.txt"])


def test_what_is_not_a_list(here: Path) -> None:
    (here / "sound.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\n\nmore")
    (here / "empty").mkdir()
    (here / "utf16").write_bytes("d/a.mp3\nd/b/1.flac\n".encode("utf-16-le"))
    (here / "odd16").write_bytes("d/a.mp3\n".encode("utf-16") + b"x")
    for name, error, message in (
        ("nolist", FileNotFoundError, "^no such list: nolist$"),
        ("empty", ValueError, "^expected a list, got the folder empty$"),
        ("sound.wav", ValueError, r"^expected a text file of paths as the list, got something else: sound\.wav$"),
        ("utf16", ValueError, "^expected text in UTF-8, got UTF-16 without a byte order mark: utf16$"),
        ("odd16", ValueError, "^expected text, got bytes that are not UTF-16 after a mark of UTF-16: odd16$"),
    ):
        with pytest.raises(error, match=message):
            find_clips(lists=[name])
    for name, error, message in (
        ("nope.csv", FileNotFoundError, r"^no such table of segments: nope\.csv$"),
        ("empty", ValueError, "^expected a table of segments, got the folder empty$"),
    ):
        with pytest.raises(error, match=message):
            find_clips(segments=name)
    (here / "odd\x01.wav").touch()
    (here / "odd.txt").write_bytes(b"odd\x01.wav\nmissing\x02.wav\n")
    assert [clip.file for clip in find_clips(lists=["odd.txt"])] == ["odd\x01.wav", "missing\x02.wav"]


def test_a_list_may_hold_folders_patterns_and_what_is_not_there(here: Path) -> None:
    content = b"d/b\nd/*.mp3\nd/notes.txt\nnowhere\ngone.wav\n"
    files, absent = missing(lists=[io.BytesIO(content)])
    # What is named like audio is not looked at: a million looks over a network take long.
    assert files == ["d/b/1.flac", "d/b/2.WAV", "d/a.mp3", "d/notes.txt", "gone.wav"]
    assert absent == [("nowhere", "no such file or folder")]
    with pytest.raises(FileNotFoundError):
        read_list(here / "no_list")


@given(n_clips=st.integers(0, 50), count=st.integers(1, 12))
def test_shares_are_disjoint_balanced_and_all(n_clips: int, count: int) -> None:
    clips = [Clip(f"{index}.wav") for index in range(n_clips)]
    shares = [shard(clips, index, count) for index in range(count)]
    together = [clip for share in shares for clip in share]
    assert len(together) == n_clips and set(together) == set(clips)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_how_shares_are_written() -> None:
    assert parse_shard("0/1") == (0, 1) and parse_shard(" 15 / 16 ") == (15, 16)
    for text in ("", "1", "1/", "/2", "2/2", "0/0", "-1/2", "a/b", "1/2/3", "1.0/2"):
        with pytest.raises(ValueError, match=rf"such as 0/4 to 3/4, got {re.escape(repr(text))}"):
            parse_shard(text)
    with pytest.raises(ValueError, match="expected a share from 0 to 3 of 4, got 4"):
        shard([], 4, 4)
