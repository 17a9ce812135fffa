"""Files in folders and files that match patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from byola_hear.extraction.clips import audio_files
from tests.extraction.some_files import INSIDE, found, make, missing


def test_folders_are_searched_and_files_are_taken(here: Path) -> None:
    assert found("d") == found("./d/") == found("d", "d//b") == INSIDE
    # A file is taken no matter what it is called, but only once.
    assert found("d/notes.txt", "d/b", "d", "./d/notes.txt") == ["d/notes.txt", *INSIDE[1:3], INSIDE[0], INSIDE[3]]
    assert found("d/.hidden") == ["d/.hidden/x.wav"]
    os.chdir("d")
    assert found(".") == [name[2:] for name in INSIDE]
    assert found(str(here / "d")) == [(here / name).as_posix() for name in INSIDE]
    assert audio_files(["b"]) == [Path("b/1.flac"), Path("b/2.WAV")]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("d/*.mp3", INSIDE[:1]),
        ("d/?.[mw]*", INSIDE[:1] + INSIDE[3:]),
        ("d/**/*.flac", INSIDE[1:2]),
        ("**/*.mp3", INSIDE[:1]),
        ("*/**/*.WAV", INSIDE[2:3]),
        # A folder that matches is searched, as if the shell had named it; a file is taken no matter what it is called.
        ("d/*", [*INSIDE, "d/notes.txt"]),
        # Any number of folders, and then audio.
        ("d/**", INSIDE),
        ("d/**/b/**", INSIDE[1:3]),
        # A folder at any depth is searched for audio.
        ("d/**/b", INSIDE[1:3]),
        ("**/?", INSIDE),
    ],
)
def test_patterns(here: Path, pattern: str, expected: list[str]) -> None:
    assert found(pattern) == expected
    absolute = found(str(here / pattern))
    assert absolute == [(here / name).as_posix() for name in expected]


def test_patterns_ignore_case_where_the_system_does(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(here, "d/b/1.wav")
    assert found("d/b/**/*.wav") == ["d/b/1.wav"]
    monkeypatch.setattr(os.path, "normcase", str.lower)  # as on Windows
    assert found("d/b/**/*.wav") == ["d/b/1.wav", "d/b/2.WAV"]


def test_a_file_whose_name_looks_like_a_pattern(here: Path) -> None:
    make(here, "take [1].wav", "take 1.wav", "x*.wav", "xy.wav")
    assert found("take [1].wav") == ["take [1].wav"]
    assert found("x*.wav") == ["x*.wav"]
    assert found("x?*.wav") == ["x*.wav", "xy.wav"]


def test_links_are_followed_but_not_in_circles(here: Path) -> None:
    make(here, "other/c.wav")
    (here / "d/b/up").symlink_to(here / "d")
    (here / "d/b/here").symlink_to(here / "d/b")
    (here / "d/other").symlink_to(here / "other")
    (here / "d/self.wav").symlink_to(here / "d/self.wav")
    (here / "d/gone.wav").symlink_to(here / "nowhere.wav")
    (here / "d/file.wav").symlink_to(here / "other/c.wav")
    # Broken links are found as well: reading them reports what is wrong.
    expected = [*INSIDE, "d/file.wav", "d/gone.wav", "d/other/c.wav", "d/self.wav"]
    assert found("d") == found("d/**") == expected
    assert found("d/**/*.wav") == [name for name in expected if name.endswith(".wav")]
    assert found("d/gone.wav") == ["d/gone.wav"]


def test_links_to_folders_above_the_searched_one_are_not_followed(here: Path) -> None:
    make(here, "other/deep/c.wav", "other/beside.wav")
    (here / "d/b/up").symlink_to("..")
    (here / "d/b/top").symlink_to(here)
    (here / "d/b/deep").symlink_to(here / "other/deep")
    (here / "other/deep/up").symlink_to("..")
    assert found("d/b") == found("d/b/**") == [*INSIDE[1:3], "d/b/deep/c.wav"]
    # What was asked for is searched, wherever it leads.
    assert found("d/b/deep/up") == ["d/b/deep/up/beside.wav", "d/b/deep/up/deep/c.wav"]
    os.chdir("d/b")
    assert found(".") == ["1.flac", "2.WAV", "deep/c.wav"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read(here: Path) -> None:
    make(here, "d/locked/z.wav")
    (here / "d/locked").chmod(0)
    files, absent = missing("d")
    assert files == INSIDE
    assert [path for path, _ in absent] == ["d/locked"] and "can't be read" in absent[0][1]
    (here / "d/locked").chmod(0o700)
