"""Label files as tables of segments: what CSV may look like, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.extraction.clips import Clip, find_clips
from byola_hear.labels import read_segments
from byola_hear.labels.delimited import seconds_of
from tests.extraction.some_files import make


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with one empty file."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "d/a.mp3")
    return tmp_path


def test_other_columns_are_ignored(here: Path) -> None:
    (here / "s.csv").write_text("file,start,end,channel,score,low,event\nday.wav,1,2,left,good,?,\n")
    assert read_segments("s.csv") == [("day.wav", 1.0, 2.0)]


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize(("mark", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")])
def test_other_marks_decimals_line_breaks_and_encodings(
    here: Path, mark: str, decimal: str, line_break: str, encoding: str
) -> None:
    rows = [["file", "start", "end", '"label; remark, more"'], ["ü.mp3", "1D5", "2", "a"], ["x", "", "1:03D25", '"b,"']]
    text = line_break.join(mark.join(row) for row in rows).replace("D", decimal)
    (here / "s.csv").write_bytes(text.encode(encoding))
    assert read_segments("s.csv") == [("ü.mp3", 1.5, 2.0), ("x", 0.0, 63.25)]


@pytest.mark.parametrize("header", ["file;start;end;label, remark", "a,b;c,d;file;start;end", "a\tb;file;start;end"])
def test_the_mark_is_the_one_that_separates_the_names(here: Path, header: str) -> None:
    names = header.split(";")
    cells = {"file": "a.wav", "start": "0.5", "end": "1.5"}
    (here / "s.csv").write_text(f"{header}\n" + ";".join(cells.get(name, "x, y") for name in names))
    assert read_segments("s.csv") == [("a.wav", 0.5, 1.5)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a.wav,0,1\n", "line 1: expected .* a table with the columns file, start, end and label, got 'a.wav,0,1'"),
        ("file,label\n", "line 1: expected the columns' names, .*; no start, end in 'file, label'"),
        ("file,beginning,end\n", "line 1: .*no start in 'file, beginning, end'"),
        ("file,start,end\na.wav,0,1\nb.wav,0\n", "line 3: expected 3 cells, got 2"),
        ("file,start,end\n\na.wav,x,1\n", "line 3: expected a time as seconds or H:MM:SS, got 'x'"),
        ("file,start,end\na.wav,-1,1\n", "line 2: expected a time as seconds or H:MM:SS, got '-1'"),
        ("file,start,end\na.wav,0,nan\n", "line 2: expected a time as seconds or H:MM:SS, got 'nan'"),
        ("file,start,end\na.wav,2,1.5\n", "line 2: expected an end after the start, got 2 to 1.5"),
        ("file,start,end\na.wav,2,2\n", "line 2: expected an end after the start, got 2 to 2"),
        ('file,start,end\n"a\nb.wav",1,2\n,0,1\n', "line 4: expected a file's path, got an empty cell"),
        ("file,start,end\na.wav,0,0:75\n", "line 2: expected a time as seconds or H:MM:SS, got '0:75'"),
        ("file,start,end\na.wav,1:75:00,\n", "line 2: expected a time as seconds or H:MM:SS, got '1:75:00'"),
        ('file,start,end\na.wav,"1,500","2,500"\n', "line 2: expected a time as seconds or H:MM:SS, got '1,500'"),
        ("file\tstart\tend\na.wav\t1,500\t\n", "line 2: expected a time without thousands, .*, got '1,500'"),
        ("file;start;end\na.wav;1.234,5;\n", "line 2: expected one decimal mark in all numbers, got '1.234,5'"),
        ("file;start;end\na;0,5;1\nb;1.500;2,5\n", "line 3: expected one decimal mark in all numbers, got '1.500'"),
        ("file,start,end\n" + "a" * 200_000 + ",0,1\n", r"line 2: not CSV \(field larger than"),
        ("a" * 200_000, r"line 1: not CSV \(field larger than"),
    ],
)
def test_what_is_not_a_table_of_segments(here: Path, content: str, message: str) -> None:
    (here / "s.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"s\.csv, {message}"):
        read_segments("s.csv")
    with pytest.raises(FileNotFoundError):
        read_segments("none.csv")


@pytest.mark.parametrize(
    "header",
    [
        "start (UTC),file,start,end",
        "start_time (local),file,Start (sec),end ( Seconds )",
        "low (kHz),file,Begin Time (hh:mm:ss),End Time (m:ss.000)",
        "remark,file,onset_s,offset_secs,Duration (ms)",
    ],
)
def test_a_time_in_seconds_comes_before_other_columns_of_that_name(here: Path, header: str) -> None:
    (here / "s.csv").write_text(f"{header}\n12:00,a.wav,0:01.5,3,x\n")
    assert read_segments("s.csv") == [("a.wav", 1.5, 3.0)]


@pytest.mark.parametrize(
    "header", ["start (min),end", "start,end (UTC)", "Begin Time (ms),Duration", "start,offset (h)"]
)
def test_times_in_other_units_are_refused(here: Path, header: str) -> None:
    (here / "s.csv").write_text(f"file,label,{header}\na.wav,a,1,2\n")
    column = next(name for name in header.split(",") if "(" in name)
    with pytest.raises(ValueError, match=rf"^s\.csv, line 1: expected seconds, .* column {re.escape(repr(column))}$"):
        read_segments("s.csv")


def test_segments_of_annotation_programs(here: Path) -> None:
    make(here, "day.wav")
    (here / "day.txt").write_text("0.5\t1.5\towl\n")
    raven = "Selection\tView\tBegin Time (s)\tEnd Time (s)\n1\tSpectrogram 1\t2\t3\n"
    (here / "day.Table.1.selections.txt").write_text(raven)
    assert find_clips(segments="day.txt") == [Clip("day.wav", 0.5, 1.5)]
    assert find_clips(segments="day.Table.1.selections.txt") == [Clip("day.wav", 2.0, 3.0)]
    (here / "day.txt").write_text("0.5\t0.5\towl\n")
    with pytest.raises(ValueError, match=r"^day\.txt, line 1: expected an end after the start, got 0.5 to 0.5$"):
        find_clips(segments="day.txt")


@given(seconds=st.integers(0, 359_999_999))
def test_times_of_day_are_seconds(seconds: int) -> None:
    whole, milliseconds = divmod(seconds, 1000)
    text = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"
    assert seconds_of(text) == pytest.approx(seconds / 1000, abs=1e-9)
    assert seconds_of(f" {seconds / 1000!r} ") == seconds / 1000
