"""Labels that are written and read back, and files that other programs read."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byola_hear import labels
from tests.labels.recordings import tone

#: Durations of the recordings that labels may be about, s.
RECORDINGS = {"day.wav": 10.0, "rec/night.wav": 5.0}
MICROSECONDS = st.integers(0, 5_000_000).map(lambda value: value / 1e6)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)
MAYBE = st.one_of(st.just(math.nan), st.floats(0, 4000).map(lambda value: round(value, 3)))


@st.composite
def frames(draw: st.DrawFn, files: tuple[str, ...] = tuple(RECORDINGS)) -> pd.DataFrame:
    """Labels of the recordings."""
    count = draw(st.integers(1, 5))
    spans = [sorted((draw(MICROSECONDS), draw(MICROSECONDS))) for _ in range(count)]
    return pd.DataFrame(
        {
            "file": [draw(st.sampled_from(files)) for _ in spans],
            "start": [start for start, _ in spans],
            "end": [end for _, end in spans],
            "label": [draw(TEXT) for _ in spans],
            "low": [draw(MAYBE) for _ in spans],
            "high": [draw(MAYBE) for _ in spans],
            "score": [draw(MAYBE) for _ in spans],
            "channel": pd.array([draw(st.one_of(st.none(), st.integers(1, 4))) for _ in spans], "Int64"),
        }
    )


def values(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """Rows of some columns, with absolute paths and None for what is missing."""
    full = frame.reindex(columns=["file", "start", "end", "label", *columns])
    return [
        [str(Path(row[0]).absolute()), *(None if pd.isna(value) else value for value in row[1:])]
        for row in full.astype(object).to_numpy().tolist()
    ]


many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(frame=frames(), ending=st.sampled_from(["csv", "parquet"]))
def test_csv_and_parquet_give_back_everything(here: Path, frame: pd.DataFrame, ending: str) -> None:
    assert labels.write(frame, f"l.{ending}") == [Path(f"l.{ending}")]
    optional = ("low", "high", "score", "channel")
    assert values(labels.read(f"l.{ending}"), *optional) == values(frame, *optional)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_files_and_labels_of_any_type_are_written_as_text(here: Path, ending: str) -> None:
    (here / "day.wav").touch()
    frame = pd.DataFrame({"file": [Path("day.wav")] * 3, "start": 1.0, "end": 2.0, "label": ["owl", 7, None]})
    labels.write(frame, f"l{ending}")
    assert labels.read(f"l{ending}")["label"].tolist() == ["owl", "7", ""]
    assert labels.read(f"l{ending}")["file"].tolist() == ["day.wav"] * 3
    # As in a Parquet file of names that are not UTF-8.
    labels.write(frame.assign(file=b"day.wav", label=[b"eule", "käuzchen".encode(), None]), f"l{ending}")
    assert labels.read(f"l{ending}")["label"].tolist() == ["eule", "käuzchen", ""]
    assert labels.read(f"l{ending}")["file"].tolist() == ["day.wav"] * 3


def test_csv_holds_carriage_returns_and_spaces(here: Path) -> None:
    frame = pd.DataFrame({"file": [" a, b.wav", "day.wav"], "start": 1.5, "end": 2.0, "label": ["owl", "fox"]})
    labels.write(frame, "l.csv")
    assert labels.read("l.csv", missing="keep")["file"].tolist() == frame["file"].tolist()
    frame["file"] = [" a.wav", "day.wav"]
    labels.write(frame, "l.csv")
    assert labels.read("l.csv", missing="keep")["file"].tolist() == frame["file"].tolist()
    name = "Icon\r.wav"  # as macOS names its icons
    shutil.copy("day.wav", name)
    frame = pd.DataFrame({"file": [name, "day.wav"], "start": 1.5, "end": 2.0, "label": ["owl", "a\rb"]})
    labels.write(frame, "l.csv")
    assert pd.read_csv("l.csv")[list(frame)].equals(frame)
    with open("l.csv", newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["file", name, "day.wav"]


@many
@given(frame=frames())
def test_raven_tables_of_several_recordings(here: Path, frame: pd.DataFrame) -> None:
    labels.write(frame, "all.selections.txt")
    found = labels.read("all.selections.txt")
    expected = frame.fillna({"low": 0.0, "high": 4000.0, "channel": 1})
    for row, (got, wanted) in enumerate(zip(values(found), values(expected), strict=True)):
        assert [got[0], got[3]] == [wanted[0], wanted[3]], row
        assert got[1:3] == pytest.approx(wanted[1:3], abs=2e-6)
    assert found["low"].tolist() == pytest.approx(expected["low"].tolist())
    assert found["high"].tolist() == pytest.approx(expected["high"].tolist())
    assert found["channel"].tolist() == expected["channel"].tolist()


@many
@given(frame=frames())
def test_audacity_tracks_in_a_folder(here: Path, frame: pd.DataFrame) -> None:
    for old in Path("found").rglob("*.txt") if Path("found").exists() else ():
        old.unlink()
    written = labels.write(frame, "found/", "audacity")
    assert len(written) == frame["file"].nunique()
    found = labels.read("found", recordings=".")
    by_file = frame.sort_values("file", key=lambda files: files.str.replace(".wav", ".txt"), kind="stable")
    expected = values(by_file, "low", "high")
    assert sorted(map(repr, values(found, "low", "high"))) == sorted(map(repr, expected))


def test_files_in_a_folder_are_named_after_their_recordings(here: Path) -> None:
    for name in ("a/1.wav", "b/1.wav", "b/1.flac"):
        tone(here / name, 2)
    frame = pd.DataFrame(
        {"file": ["a/1.wav", "b/1.wav", "b/1.flac"], "start": 0.0, "end": 1.0, "label": ["x", "y", "z"]}
    )
    written = labels.write(frame, "found/", "raven")
    names = ["a/1.Table.1.selections.txt", "b/1.Table.1.selections.txt", "b/1.flac.Table.1.selections.txt"]
    assert [path.as_posix() for path in written] == [f"found/{name}" for name in names]
    assert values(labels.read("found")) == values(frame)
    assert labels.write(frame[:1].set_index(["file", "start", "end"]), Path("found"), "csv") == [Path("found/1.csv")]


def test_names_that_some_systems_take_for_one_stay_different(here: Path) -> None:
    frame = pd.DataFrame({"file": ["Day.wav", "day.flac", "DAY.ogg"], "start": 0.0, "end": 1.0, "label": "x"})
    written = labels.write(frame, "found/", "audacity")
    assert [path.name for path in written] == ["Day.txt", "day.flac.txt", "DAY.ogg.txt"]


def test_what_a_raven_table_holds(here: Path) -> None:
    frame = pd.DataFrame(
        {
            "file": ["day.wav", "rec/night.wav"],
            "start": [1, 0],
            "end": [2.5, math.nan],
            "label": ["owl", '"fox"'],
            "score": [0.5, math.nan],
        }
    )
    header, first, second = (line.split("\t") for line in labels.text_of(frame, "raven").splitlines())
    assert header[:5] == ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"]
    assert header[5:7] == ["Low Freq (Hz)", "High Freq (Hz)"]
    assert header[7:] == ["Begin File", "Begin Path", "File Offset (s)", "Annotation", "Score"]
    assert first[:7] == ["1", "Spectrogram 1", "1", "1.000000", "2.500000", "0.000000", "4000.000000"]
    assert first[7:] == ["day.wav", str(here / "day.wav"), "1.000000", "owl", "0.5"]
    assert second[:7] == ["2", "Spectrogram 1", "1", "10.000000", "15.000000", "0.000000", "4000.000000"]
    assert second[7:] == ["night.wav", str(here / "rec/night.wav"), "0.000000", '"""fox"""', ""]


def test_recordings_whose_headers_do_not_say_how_long_they_are(here: Path, clips_folder: Path) -> None:
    files = [str(clips_folder / name) for name in ("ambience_stereo_48k.opus", "piano_stereo_44k.mp3")]
    frame = pd.DataFrame({"file": [*files, "day.wav"], "start": 0.25, "end": [math.nan, 0.5, 0.5], "label": "x"})
    labels.write(frame, "all.selections.txt")
    seconds = [len(soundfile.read(file)[0]) / soundfile.info(file).samplerate for file in files]
    table = pd.read_csv("all.selections.txt", sep="\t")
    expected = [0.25, seconds[0] + 0.25, sum(seconds) + 0.25]
    assert table["Begin Time (s)"].tolist() == pytest.approx(expected, abs=1e-5)
    assert labels.read("all.selections.txt")["end"].tolist() == pytest.approx([seconds[0], 0.5, 0.5], abs=1e-5)


@pytest.mark.parametrize(
    ("change", "path", "format", "message"),
    [
        ({}, "l.txt", None, "^expected the name of a format among raven, audacity, csv, parquet for l.txt$"),
        ({}, "new/", None, "^expected the name of a format among .* for new$"),
        ({}, "l.txt", "excel", "^expected a format among raven, audacity, csv, parquet, got 'excel'$"),
        (
            {"end": 0.5},
            "l.csv",
            None,
            "^row 0 of the labels, day.wav: expected a start and an end after it .*1.0 to 0.5$",
        ),
        ({"start": math.nan}, "l.csv", None, "^row 0 .* expected a start and an end"),
        ({"start": pd.Timedelta(1, "s")}, "l.csv", None, "^row 0 .* in seconds, got 0 days 00:00:01 to 2.0$"),
        ({"end": "late"}, "l.csv", None, "^row 0 .* in seconds, got 1.0 to late$"),
        (
            {"label": "a\nb"},
            "l.txt",
            "audacity",
            "^row 0 .* expected a label without tabs and line breaks, got 'a\\\\nb'$",
        ),
        ({"label": "a\tb"}, "l.txt", "raven", "^row 0 .* expected a label without tabs"),
        (
            {"file": ["day.wav", "x.wav", "x.wav"]},
            "l.txt",
            "audacity",
            "^an Audacity label track belongs to one recording, got .* 2",
        ),
        (
            {"file": ["x.wav", "day.wav", "day.wav"]},
            "l.txt",
            "raven",
            "the recording can't be read, so its duration is not known$",
        ),
        ({"file": "x.wav"}, "l.txt", "raven", "the recording can't be read, so its highest frequency is not known$"),
        (
            {"file": "x.wav", "end": math.nan},
            "l.txt",
            "audacity",
            "the recording can't be read, so its duration is not",
        ),
        (
            {"file": ["a.wav.wav", "a.mp3", "a.wav"]},
            "new/",
            "csv",
            "^two of the recordings would have the same label file",
        ),
    ],
)
def test_what_can_not_be_written(here: Path, change: dict[str, Any], path: str, format: str, message: str) -> None:
    frame = pd.DataFrame({"file": ["day.wav"] * 3, "start": 1.0, "end": 2.0, "label": "owl"}).assign(**change)
    before = sorted(here.rglob("*"))
    with pytest.raises(ValueError, match=message):
        labels.write(frame, path, format)
    assert sorted(here.rglob("*")) == before


def test_labels_without_their_columns_are_refused(here: Path) -> None:
    with pytest.raises(ValueError, match=r"^expected labels with the columns file, start, end, label; no end, label"):
        labels.write(pd.DataFrame({"file": ["day.wav"], "start": [1.0]}), "l.csv")


@pytest.mark.parametrize("end_is_missing", [False, True])
def test_crowsetta_reads_what_is_written(here: Path, end_is_missing: bool) -> None:
    crowsetta = pytest.importorskip("crowsetta")
    frame = pd.DataFrame({"file": "day.wav", "start": [1.5, 3], "end": [2.0, 4.25], "label": ["tawny owl", 'a "fox"']})
    if end_is_missing:
        frame.loc[1, "end"] = math.nan
    ends = [2.0, 10.0 if end_is_missing else 4.25]
    read = crowsetta.formats.by_name
    labels.write(frame, "day.selections.txt")
    boxes = read("raven").from_file("day.selections.txt", annot_col="Annotation").to_bbox()
    assert [(box.onset, box.offset, box.label) for box in boxes] == [
        (start, end, label) for start, end, label in zip([1.5, 3], ends, frame["label"], strict=True)
    ]
    assert all((box.low_freq, box.high_freq) == (0, 4000) for box in boxes)
    labels.write(frame, "day.txt", "audacity")
    sequence = read("aud-seq").from_file("day.txt").to_seq()
    assert sequence.labels.tolist() == frame["label"].tolist()
    assert sequence.onsets_s.tolist() == [1.5, 3] and sequence.offsets_s.tolist() == ends
