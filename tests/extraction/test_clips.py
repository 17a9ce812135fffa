"""Finding what is to be embedded: folders, patterns, lists, tables of segments, shares."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.extraction.clips import Clip, audio_files, find_clips, parse_shard, read_list, shard
from byola_hear.extraction.segment_table import read_segments, seconds_of


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with some files."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "d/b/2.WAV", "d/b/1.flac", "d/a.mp3", "d/b.wav", "d/notes.txt", "d/.hidden/x.wav", "d/b/.y.wav")
    return tmp_path


INSIDE = ["d/a.mp3", "d/b/1.flac", "d/b/2.WAV", "d/b.wav"]


def found(*paths: str) -> list[str]:
    clips = find_clips(paths)
    assert all(clip == Clip(clip.file) for clip in clips)
    return [Path(clip.file).as_posix() for clip in clips]


def missing(*paths: str, **other: object) -> tuple[list[str], list[tuple[str, str]]]:
    absent: list[tuple[str, str]] = []
    clips = find_clips(paths, on_missing=lambda path, reason: absent.append((path, reason)), **other)  # type: ignore
    return [clip.file for clip in clips], absent


def test_folders_are_searched_and_files_are_taken(here: Path) -> None:
    assert found("d") == found("./d/") == found("d", "d//b") == INSIDE
    # A file is taken whatever its name, and none twice.
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
        # A folder that matches is searched, as if the shell had named it; a file is taken whatever its name.
        ("d/*", [*INSIDE, "d/notes.txt"]),
        # Any number of folders, and then audio.
        ("d/**", INSIDE),
        ("d/**/b/**", INSIDE[1:3]),
    ],
)
def test_patterns_that_the_shell_left_alone(here: Path, pattern: str, expected: list[str]) -> None:
    assert found(pattern) == expected
    absolute = found(str(here / pattern))
    assert absolute == [(here / name).as_posix() for name in expected]


def test_a_file_whose_name_looks_like_a_pattern(here: Path) -> None:
    make(here, "take [1].wav", "take 1.wav", "x*.wav", "xy.wav")
    assert found("take [1].wav") == ["take [1].wav"]
    assert found("x*.wav") == ["x*.wav"]
    assert found("x?*.wav") == ["x*.wav", "xy.wav"]


def test_what_is_not_there_is_told_and_the_rest_is_found(here: Path) -> None:
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


def test_links_are_followed_but_not_round_and_round(here: Path) -> None:
    make(here, "other/c.wav")
    (here / "d/b/up").symlink_to(here / "d")
    (here / "d/b/here").symlink_to(here / "d/b")
    (here / "d/other").symlink_to(here / "other")
    (here / "d/self.wav").symlink_to(here / "d/self.wav")
    (here / "d/gone.wav").symlink_to(here / "nowhere.wav")
    (here / "d/file.wav").symlink_to(here / "other/c.wav")
    # Broken links are found too: reading them tells what they are.
    expected = [*INSIDE, "d/file.wav", "d/gone.wav", "d/other/c.wav", "d/self.wav"]
    assert found("d") == found("d/**") == expected
    assert found("d/**/*.wav") == [name for name in expected if name.endswith(".wav")]
    assert found("d/gone.wav") == ["d/gone.wav"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_can_not_be_read(here: Path) -> None:
    make(here, "d/locked/z.wav")
    (here / "d/locked").chmod(0)
    files, absent = missing("d")
    assert files == INSIDE
    assert [path for path, _ in absent] == ["d/locked"] and "can't be read" in absent[0][1]
    (here / "d/locked").chmod(0o700)


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
    ],
)
def test_lists(here: Path, content: bytes) -> None:
    assert find_clips(lists=[io.BytesIO(content)]) == [Clip("d/a.mp3"), Clip("d/b/1.flac")]
    (here / "list.txt").write_bytes(content)
    assert find_clips(["d/b.wav"], lists=["list.txt"]) == [Clip("d/b.wav"), Clip("d/a.mp3"), Clip("d/b/1.flac")]


def test_what_is_no_list(here: Path) -> None:
    (here / "sound.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\n\nmore")
    (here / "empty").mkdir()
    for name, error, message in (
        ("nolist", FileNotFoundError, "^no such list: nolist$"),
        ("empty", ValueError, "^expected a list, got the folder empty$"),
        ("sound.wav", ValueError, r"^expected a text file of paths as the list, got something else: sound\.wav$"),
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


def test_segments(here: Path) -> None:
    make(here, "tables/in_tables.wav", "tables/d/a.mp3")
    (here / "tables/s.csv").write_text(
        "\ufefflabel,Start, end ,file,x\n"
        'speech,0,1.5,d/a.mp3,""\n'
        "noise,1:02.5,1:02:03,in_tables.wav,1\n"
        "\n"
        '"a, b",,,"/abs/a, b.wav",2\n'
        "speech,0,1.50,./d/a.mp3,again\n"
        "all,3,,nowhere.wav,\n"
    )
    expected = [
        # From the working directory if it is there, else from the table's folder.
        Clip("d/a.mp3", 0.0, 1.5),
        Clip(str(Path("tables/in_tables.wav")), 62.5, 3723.0),
        Clip("/abs/a, b.wav"),
        Clip("nowhere.wav", 3.0),
    ]
    assert find_clips(segments="tables/s.csv") == expected
    assert find_clips(["d/a.mp3"], segments=Path("tables/s.csv")) == [
        Clip("d/a.mp3"),
        *find_clips(segments="tables/s.csv"),
    ]
    assert len(read_segments("tables/s.csv")) == 5


@pytest.mark.parametrize("mark", [";", "\t"])
def test_segments_with_other_separators(here: Path, mark: str) -> None:
    (here / "s.csv").write_text("file,start,end\nd/a.mp3,1,2\nx,0,3".replace(",", mark))
    assert read_segments("s.csv") == [("d/a.mp3", 1.0, 2.0), ("x", 0.0, 3.0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected the columns' names, among them file, start and end; no file, start, end in ''"),
        ("a.wav,0,1\n", "line 1: expected the columns' names, .*no file, start, end in 'a.wav,0,1'"),
        ("file,begin,end\n", "line 1: .*no start in 'file,begin,end'"),
        ("file,start,end\na.wav,0,1\nb.wav,0\n", "line 3: expected 3 cells, got 2"),
        ("file,start,end\n\na.wav,x,1\n", "line 3: expected a time as seconds or H:MM:SS, got 'x'"),
        ("file,start,end\na.wav,-1,1\n", "line 2: expected a time as seconds or H:MM:SS, got '-1'"),
        ("file,start,end\na.wav,0,nan\n", "line 2: expected a time as seconds or H:MM:SS, got 'nan'"),
        ("file,start,end\na.wav,2,1.5\n", "line 2: expected an end after the start, got 2 to 1.5"),
        ("file,start,end\na.wav,2,2\n", "line 2: expected an end after the start, got 2 to 2"),
        ('file,start,end\n"a\nb.wav",1,2\n,0,1\n', "line 4: expected a file's path, got an empty cell"),
        ("file,start,end\na.wav,0,0:75\n", "line 2: expected a time as seconds or H:MM:SS, got '0:75'"),
        ("file,start,end\na.wav,1:75:00,\n", "line 2: expected a time as seconds or H:MM:SS, got '1:75:00'"),
        ("file,start,end\n" + "a" * 200_000 + ",0,1\n", r"line 2: not CSV \(field larger than"),
        ("a" * 200_000, r"line 1: not CSV \(field larger than"),
    ],
)
def test_tables_of_segments_that_are_none(here: Path, content: str, message: str) -> None:
    (here / "s.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"s\.csv, {message}"):
        read_segments("s.csv")
    with pytest.raises(FileNotFoundError):
        read_segments("none.csv")


@given(seconds=st.integers(0, 359_999_999))
def test_times_of_day_are_seconds(seconds: int) -> None:
    whole, milliseconds = divmod(seconds, 1000)
    text = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"
    assert seconds_of(text) == pytest.approx(seconds / 1000, abs=1e-9)
    assert seconds_of(f" {seconds / 1000!r} ") == seconds / 1000


@given(n_clips=st.integers(0, 50), count=st.integers(1, 12))
def test_shares_are_disjoint_balanced_and_all(n_clips: int, count: int) -> None:
    clips = [Clip(f"{index}.wav") for index in range(n_clips)]
    shares = [shard(clips, index, count) for index in range(count)]
    together = [clip for share in shares for clip in share]
    assert len(together) == n_clips and set(together) == set(clips)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_shares_as_they_are_written() -> None:
    assert parse_shard("0/1") == (0, 1) and parse_shard(" 15 / 16 ") == (15, 16)
    for text in ("", "1", "1/", "/2", "2/2", "0/0", "-1/2", "a/b", "1/2/3", "1.0/2"):
        with pytest.raises(ValueError, match=rf"such as 0/4 to 3/4, got {re.escape(repr(text))}"):
            parse_shard(text)
    with pytest.raises(ValueError, match="expected a share from 0 to 3 of 4, got 4"):
        shard([], 4, 4)
