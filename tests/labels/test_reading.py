"""Label files as programs and people write them, and what is refused."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest

from byola_hear import labels
from tests.labels.recordings import tone

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tPeak Freq (Hz)\tSpecies\n"
    "1\tWaveform 1\t1\t1.000000000\t2.500000000\t\t\t\towl\n"
    "1\tSpectrogram 1\t1\t1.000000000\t2.500000000\t250.5\t900.0\t400\towl\n"
    '2\tSpectrogram 1\t2\t4.000000000\t5.250000000\t0\t4000.0\t1200\t"tawny" owl?\n'
)


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return [(row.file, row.start, row.end, row.label) for row in frame.itertuples()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["day.txt", "day.Table.1.selections.txt", "DAY.BirdNET.selection.table.txt"])
def test_a_raven_table_is_about_the_recording_that_it_is_named_after(
    here: Path, name: str, line_break: str, encoding: str
) -> None:
    (here / name).write_bytes(RAVEN.replace("\n", line_break).encode(encoding))
    frame = labels.read(name)
    assert rows(frame) == [("day.wav", 1.0, 2.5, "owl"), ("day.wav", 4.0, 5.25, '"tawny" owl?')]
    assert frame["low"].tolist() == [250.5, 0.0] and frame["high"].tolist() == [900.0, 4000.0]
    assert frame["channel"].tolist() == [1, 2] and "score" not in frame


def test_one_label_for_each_channel_of_a_selection(here: Path) -> None:
    (here / "day.txt").write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tCall\n"
        + "".join(f"1\tSpectrogram {channel}\t{channel}\t1\t2\t0\t900\ta\n" for channel in (1, 2))
        + "2\tSpectrogram 1\t1\t1\t2\t0\t900\tb\n"
    )
    assert labels.read("day.txt")[["channel", "label"]].to_numpy().tolist() == [[1, "a"], [2, "a"], [1, "b"]]


def test_one_selection_may_have_two_labels(here: Path) -> None:
    (here / "day.txt").write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
        + "".join(f"1\t{view} 1\t1\t1\t2\t0\t900\t{name}\n" for view in ("Waveform", "Spectrogram") for name in "ab")
    )
    assert labels.read("day.txt")["label"].tolist() == ["a", "b"]


def raven(*lines: str, columns: str = "Begin File\tBegin Path\tFile Offset (s)") -> str:
    head = f"Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t{columns}\tNotes\n"
    return head + "".join(f"{number}\tSpectrogram 1\t1\t{line}\n" for number, line in enumerate(lines, 1))


def test_times_in_a_sequence_of_files_become_times_in_each(here: Path) -> None:
    (here / "all.txt").write_text(
        raven(
            f"1\t2\t0\t100\tday.wav\t{here / 'day.wav'}\t1\towl",
            "12.5\t13.5\t0\t100\tnight.wav\tD:\\project\\rec\\night.wav\t2.5\tfox",
            "13.0\t14.0\t0\t100\tnight.wav\tD:\\project\\rec\t3.0\tfox",
        )
    )
    assert rows(labels.read("all.txt", label_column="notes")) == [
        (str(here / "day.wav"), 1.0, 2.0, "owl"),
        ("rec/night.wav", 2.5, 3.5, "fox"),
        ("rec/night.wav", 3.0, 4.0, "fox"),
    ]


def test_times_that_may_be_those_of_a_sequence_are_refused(here: Path) -> None:
    lines = ["1\t2\t0\t100\tday.wav\towl", "12\t13\t0\t100\trec/night.wav\tfox"]
    (here / "all.txt").write_text(raven(*lines, columns="Begin File"))
    with pytest.raises(ValueError, match=r"^all\.txt: its selections are of 2 files.* File Offset \(s\) in Raven$"):
        labels.read("all.txt")
    # The second file's times come before the first file's last: they can't be those of a sequence.
    (here / "all.txt").write_text(raven(*lines, "3\t4\t0\t9\trec/night.wav\tfox", columns="Begin File")[:-1])
    (here / "each.txt").write_text(
        raven(
            "3\t4\t0\t100\tday.wav\towl",
            "1\t2\t0\t100\trec/night.wav\tfox",
            "1.5\t6\t0\t9\tday.wav\towl",
            columns="Begin File",
        )
    )
    assert [row[1] for row in rows(labels.read("each.txt"))] == [3.0, 1.0, 1.5]


def test_audacity(here: Path) -> None:
    (here / "day.txt").write_bytes(
        "1.500000\t2.000000\towl\n\\\t200.000000\t-1.000000\n3\t3\t\n4.25\t5\ttwo\twords\n".encode("utf-8-sig")
    )
    frame = labels.read("day.txt")
    assert rows(frame) == [("day.wav", 1.5, 2.0, "owl"), ("day.wav", 3, 3, ""), ("day.wav", 4.25, 5, "two\twords")]
    assert frame["low"].tolist()[0] == 200 and "high" not in frame
    (here / "Label Track.txt").write_text("1,500000\t2,250000\towl\n")
    assert rows(labels.read("Label Track.txt", recordings="rec/night.wav")) == [("rec/night.wav", 1.5, 2.25, "owl")]


@pytest.mark.parametrize(
    "text",
    [
        "file,start,end,label\nday.wav,1.5,2,owl\nrec/night.wav,,0:03,fox\n",
        'file;start;end;label\nday.wav;1,5;2;owl\n"rec/night.wav";;3;fox\n',
        "filename\tonset\toffset\tevent_label\nday.wav\t1.5\t2\towl\nrec\\night.wav\t\t3\tfox\n",
        "Start (s),End (s),Scientific name,Common name,File\n1.5,2,x,owl,day.wav\n0,3,y,fox,rec/night.wav\n",
        "label,start_s,duration,path\nowl,1.5,.5,day.wav\nfox,0,3,/mnt/else/rec/night.wav\n",
        "file,offset,duration,class\nday.wav,1.5,0.5,owl\nrec/night.wav,0,3,fox\n",
    ],
)
def test_tables_with_commas_semicolons_or_tabs(here: Path, text: str) -> None:
    (here / "l.csv").write_text(text)
    assert rows(labels.read(b"l.csv")) == [("day.wav", 1.5, 2.0, "owl"), ("rec/night.wav", 0.0, 3.0, "fox")]


def test_whole_recordings_scores_and_other_columns(here: Path) -> None:
    (here / "l.csv").write_text("file,label,confidence,site\nday.wav,owl,.5,A\nrec/night.wav,fox,,B\n")
    frame = labels.read("l.csv", columns=["Site"])
    assert frame["end"].isna().all() and frame["score"].tolist()[0] == 0.5 and frame["Site"].tolist() == ["A", "B"]
    frame.to_parquet("l.parquet")
    assert rows(labels.read("l.parquet"))[0][0] == "day.wav"
    assert len(labels.read(["l.csv", Path("l.parquet")])) == 4


BIRDNET = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tCommon Name\tSpecies Code\t"
    "Confidence\tBegin Path\tFile Offset (s)\n"
)


def birdnet(number: int, start: float, end: float, name: str, code: str, score: float, path: str) -> str:
    return f"{number}\tSpectrogram 1\t1\t{start}\t{end}\t0\t4000\t{name}\t{code}\t{score}\t{path}\t{start}\n"


def test_birdnet_s_last_segment_may_reach_beyond_the_end(here: Path) -> None:
    lines = [birdnet(1, 6.0, 9.0, "owl", "ow", 0.9, "day.wav"), birdnet(2, 9.0, 12.0, "owl", "ow", 0.8, "day.wav")]
    (here / "b.txt").write_text(BIRDNET + "".join(lines))
    assert rows(labels.read("b.txt")) == [("day.wav", 6.0, 9.0, "owl"), ("day.wav", 9.0, 10.0, "owl")]
    for start, end in ((10.0, 13.0), (9.0, 11.0)):  # begins beyond the end, or is no segment like the others
        (here / "b.txt").write_text(BIRDNET + lines[0] + birdnet(2, start, end, "owl", "ow", 0.8, "day.wav"))
        with pytest.raises(ValueError, match=r"b\.txt, line 3: the label 'owl' ends at 1"):
            labels.read("b.txt")


def test_birdnet_s_line_for_nothing_is_no_label(here: Path) -> None:
    (here / "b.txt").write_text(BIRDNET + birdnet(1, 0, 3, "nocall", "nocall", 1.0, "day.wav"))
    assert len(labels.read("b.txt")) == len(labels.read_segments("b.txt")) == 0


def test_birdnet_s_settings_are_no_labels(here: Path) -> None:
    (here / "found").mkdir()
    (here / "found/BirdNET_analysis_params.csv").write_text("File splitting duration,Segment length\n600,3.0\n")
    (here / "found/day.BirdNET.selection.table.txt").write_text(BIRDNET + birdnet(1, 6, 9, "owl", "ow", 0.9, "day.wav"))
    assert rows(labels.read("found")) == [("day.wav", 6.0, 9.0, "owl")]


def test_birdnet_s_tracks_have_scores(here: Path) -> None:
    (here / "day.BirdNET.results.txt").write_text("3.0\t6.0\tStrix aluco, Tawny Owl\t0.8123\n6\t9\tTawny Owl\tsings\n")
    frame = labels.read("day.BirdNET.results.txt")
    assert frame["label"].tolist() == ["Strix aluco, Tawny Owl", "Tawny Owl\tsings"]
    assert frame["score"].tolist()[0] == 0.8123 and frame["score"].isna().tolist() == [False, True]


@pytest.mark.parametrize("mark", [",", ";"])
def test_spaces_after_separators(here: Path, mark: str) -> None:
    lines = ("start, end, file, label", '"start", "end", "file", "label"')
    for line in lines:
        (here / "l.csv").write_text(
            f'{line}\n1, 2, day.wav , owl\n2, 3, "day.wav", "fox, red"\n'.replace(", ", f"{mark} ")
        )
        assert rows(labels.read("l.csv")) == [("day.wav", 1.0, 2.0, "owl"), ("day.wav", 2.0, 3.0, f"fox{mark} red")]


def test_what_r_writes_for_a_missing_number(here: Path) -> None:
    (here / "l.csv").write_text("file,start,end,low,score,label\nday.wav,1,NA,NA,.5,NA\nday.wav,2,,NaN,NA,fox\n")
    frame = labels.read("l.csv")
    assert frame["end"].isna().all() and frame["score"].isna().tolist() == [False, True] and "low" not in frame
    assert frame["label"].tolist() == ["NA", "fox"]  # Nicotiana attenuata
    head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSNR\tCall\n"
    (here / "day.txt").write_text(f"{head}1\tSpectrogram 1\t1\t1\t2\tNA\t900\tNA\towl\n")
    assert labels.read("day.txt")["label"].tolist() == ["owl"]


def test_a_confidence_in_words_is_no_score(here: Path) -> None:
    (here / "l.csv").write_text("file,start,end,label,Confidence\nday.wav,1,2,owl,high\nday.wav,2,3,fox,\n")
    assert list(labels.read("l.csv", columns=["Confidence"])) == ["file", "start", "end", "label", "Confidence"]
    (here / "l.csv").write_text("file,start,end,label,Confidence\nday.wav,1,2,owl,0.5\nday.wav,2,3,fox,high\n")
    with pytest.raises(ValueError, match=r"l\.csv, line 3: expected a number as the score, got 'high'"):
        labels.read("l.csv")


@pytest.mark.parametrize("names", ["start_ms,end_ms", "t_start,t_end", "Begin Sample,End Sample", "starttime,endtime"])
def test_starts_that_are_not_understood_do_not_label_whole_recordings(here: Path, names: str) -> None:
    (here / "l.csv").write_text(f"file,{names},label\nday.wav,100,200,owl\n")
    with pytest.raises(ValueError, match=rf"got the column '{names.partition(',')[0]}'; rename it"):
        labels.read("l.csv")


def test_the_date_of_a_recording_is_no_start(here: Path) -> None:
    text = "file,label,start_date,StartTime,restart\nday.wav,owl,2021-10-31,,1\n"
    (here / "l.csv").write_text(text)
    assert labels.read("l.csv")["end"].isna().all()


def test_a_table_of_embeddings_has_segments(here: Path) -> None:
    pd.DataFrame({"file": ["day.wav"], "start": [0.5], "end": [1.5], "embedding": [[1.0, 2.0]]}).to_parquet("e.parquet")
    assert labels.read_segments("e.parquet") == [("day.wav", 0.5, 1.5)]
    with pytest.raises(ValueError, match=r"expected one column with labels, got no column"):
        labels.read("e.parquet")


def test_folders_are_labels(here: Path) -> None:
    tone(here / "clips/dog/1.wav", 0.1)
    tone(here / "clips/cat/big/2.wav", 0.1)
    expected = [("clips/cat/big/2.wav", "cat"), ("clips/dog/1.wav", "dog")]
    for path in ("clips", "clips/", here / "clips"):
        frame = labels.read(path)
        found = zip(frame["file"], frame["label"], strict=True)
        assert [(Path(file).absolute(), label) for file, label in found] == [
            (here / file, label) for file, label in expected
        ]
        assert frame["start"].eq(0).all() and frame["end"].isna().all()
    assert labels.read(["clips/dog", "clips/cat"])["label"].tolist() == ["dog", "big"]
    tone(here / "clips/stray.wav", 0.1)
    with pytest.raises(ValueError, match="expected every recording in the folder of its label, got clips/stray.wav"):
        labels.read("clips")


def test_a_folder_of_label_files(here: Path) -> None:
    for name in ("day", "night"):
        (here / "found").mkdir(exist_ok=True)
        (here / f"found/{name}.txt").write_text("1\t2\towl\n")
    (here / "found/.hidden.txt").write_text("x")
    shutil.move("day.wav", "rec/day.wav")
    frame = labels.read("found", recordings="rec")
    assert frame["file"].tolist() == ["rec/day.wav", "rec/night.wav"]
    shutil.copy("found/night.txt", "rec")
    with pytest.raises(
        ValueError, match=r"^rec: has recordings and label files, such as rec/night\.txt; name the files"
    ):
        labels.read("rec")
    assert labels.read("rec", "audacity")["file"].tolist() == ["rec/night.wav"]
    assert labels.read("rec", "folders")["label"].tolist() == ["rec", "rec"]


def test_links_to_folders_are_followed(here: Path) -> None:
    tone(here / "data/dog/1.wav", 0.1)
    (here / "clips").mkdir()
    (here / "clips/dog").symlink_to(here / "data/dog")
    (here / "clips/dog/loop").symlink_to(here / "clips")
    frame = labels.read("clips")
    assert [(row.file, row.label) for row in frame.itertuples()] == [("clips/dog/1.wav", "dog")]
    (here / "tables").mkdir()
    (here / "data/day.txt").write_text("1\t2\towl\n")
    (here / "tables/more").symlink_to(here / "data")
    shutil.rmtree("data/dog")
    assert labels.read("tables", recordings="day.wav")["label"].tolist() == ["owl"]


@pytest.mark.parametrize(
    "name",
    [
        "C:\\Users\\me\\rec\\night.wav",
        "\\\\server\\share\\night.wav",
        "/home/me/rec/night.wav",
        "rec\\night.wav",
        "night.wav",
    ],
)
def test_recordings_that_moved(here: Path, name: str) -> None:
    (here / "elsewhere").mkdir()
    (here / "elsewhere/l.csv").write_text(f"file,start,end,label\n{name},1,2,owl\n")
    assert labels.read("elsewhere/l.csv", recordings="rec")["file"].tolist() == ["rec/night.wav"]
    with pytest.raises(FileNotFoundError, match=r"^elsewhere/l\.csv, line 2: no such recording: "):
        labels.read("elsewhere/l.csv")
    assert labels.read("elsewhere/l.csv", missing="keep")["file"].tolist() == [name]


@pytest.mark.parametrize("letters", [True, False])
def test_accents_may_be_letters_or_follow_them(here: Path, letters: bool) -> None:
    forms = [normalize(form, "Gänse") for form in ("NFC", "NFD")]
    sound, named = (f"{form}.wav" for form in (forms if letters else forms[::-1]))
    tone(here / sound, 2)
    (here / named).with_suffix(".txt").write_text("0\t1\tgoose\n", encoding="utf-8")
    assert labels.read(Path(named).with_suffix(".txt"))["file"].tolist() == [sound]
    (here / "l.csv").write_text(
        f"file,start,end,label\n/home/me/{named},1,2,goose\n/home/me/{sound},1,2,goose\n", encoding="utf-8"
    )
    assert labels.read("l.csv")["file"].tolist() == [sound] * 2
    (here / "rec/more").mkdir()
    (here / sound).rename(here / "rec/more" / sound)
    assert labels.read("l.csv", recordings="rec")["file"].tolist() == [f"rec/more/{sound}"] * 2
    (here / "l.csv").write_text(f"file,start,end\nrec/more/{named},1,2\n{named},1,2\n", encoding="utf-8")
    assert [file for file, _, _ in labels.read_segments("l.csv")] == [f"rec/more/{sound}", named]


def test_two_recordings_never_become_one(here: Path) -> None:
    (here / "l.csv").write_text("file,start,end,label\n/a/day.wav,1,2,owl\n/b/day.wav,1,2,fox\n")
    with pytest.raises(ValueError, match=r"^l\.csv, line 3: day\.wav could be /a/day\.wav or /b/day\.wav"):
        labels.read("l.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("day.txt", "", "day.txt: the file is empty"),
        ("day.txt", "\ufeff\n\n", "day.txt: the file is empty"),
        ("day.txt", "Dear diary,\n", "day.txt, line 1: expected a Raven selection table, .*, got 'Dear diary,'"),
        ("day.txt", "file\0", "day.txt: expected a Raven selection table, .*, got something else than text"),
        ("day.txt", "1\t2\ta\n3\tb\n", "day.txt, line 1: expected a Raven .*, got '1\\\\t2\\\\ta'"),
        (
            "day.txt",
            "1\t2\ta\n" * 30 + "3\tb\n",
            "day.txt, line 31: expected start, end and label with tabs .*'3\\\\tb'",
        ),
        ("day.txt", "1\t2\ta\n5\t4\tb\n", "day.txt, line 2: expected an end after the start, got 5 to 4"),
        ("day.txt", "1\t2\ta\n5\t40\tb\n", "day.txt, line 2: the label 'b' ends at 40 s, day.wav ends at 10.000 s"),
        ("day.txt", "11\t11\ta\n", "day.txt, line 1: the label 'a' ends at 11 s, day.wav ends at 10.000 s"),
        ("day.txt", "\\\t2\t3\n", "day.txt, line 1: expected a label, or the frequencies of the label before"),
        (
            "dusk.txt",
            "1\t2\ta\n",
            "dusk.txt: expected a recording called dusk, such as dusk.wav, in the same folder, .; ",
        ),
        ("l.csv", "file,start,end,label\nno.wav,1,2,a\n", "l.csv, line 2: no such recording: no.wav"),
        (
            "l.csv",
            "file,start,end,label\nday.wav,3,2,a\n",
            "l.csv, line 2: expected an end after the start, got 3 to 2",
        ),
        ("l.csv", "file,start,end,label\nday.wav,12,,a\n", "l.csv, line 2: the label 'a' begins at 12 s, day.wav ends"),
        ("l.csv", "file,start,end,label,score\nday.wav,1,2,a,high\n", "l.csv, line 2: expected a number as the score"),
        (
            "l.csv",
            "file,start,end,label,channel\nday.wav,1,2,a,.5\n",
            "l.csv, line 2: expected the number of a channel",
        ),
        ("l.csv", "file,start,label\nday.wav,1,a\n", "l.csv, line 1: .*no end in 'file, start, label'"),
        (
            "l.csv",
            "file,start,end,kind\nday.wav,1,2,a\n",
            "l.csv, line 1: expected one column with labels, got no column",
        ),
        (
            "l.csv",
            "file,start,end,label,Low Freq (kHz)\nday.wav,1,2,a,8\n",
            r"l.csv, line 1: expected Hz, as in 'Low Freq \(Hz\)', got the column 'Low Freq \(kHz\)'$",
        ),
        (
            "l.csv",
            "file,label,start (samples),end (samples)\nday.wav,a,1,2\n",
            r"l.csv, line 1: expected seconds, as in 'start \(s\)', got the column 'start \(samples\)'$",
        ),
        (
            "l.csv",
            "file,label,StartTime,EndTime\nday.wav,a,0:01,2\n",
            "l.csv, line 1: expected starts and ends in seconds, .*, got the column 'StartTime'; rename it",
        ),
        ("l.parquet", "PAR1 and nothing", "l.parquet: not a Parquet file that can be read"),
        (
            "day.txt",
            "Selection\tBegin Time (s)\tEnd Time (s)\tCall\tObserver\n1\t1\t2\ta\tme\n",
            "day.txt, line 1: expected one column with labels, got columns Call, Observer; give its name",
        ),
    ],
)
def test_what_is_refused(here: Path, name: str, content: str, message: str) -> None:
    (here / name).write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=f"^{message}") as caught:
        labels.read(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: labels.read("none.txt"), FileNotFoundError, "^no such label file: none.txt$"),
        (lambda: labels.read([]), ValueError, "^expected at least one label file, got none$"),
        (lambda: labels.read(io.StringIO("x")), TypeError, "^expected paths of label files, got an open file"),
        (lambda: labels.read("x", "excel"), ValueError, "^format must be one of raven, audacity, .*'excel'$"),
        (lambda: labels.read("x", missing="skip"), ValueError, "^missing must be 'raise' or 'keep'"),
        (lambda: labels.read("x", recordings="no"), FileNotFoundError, "^no such recording, and no such folder"),
        (lambda: labels.read("day.wav"), ValueError, "^day.wav: expected a Raven"),
        (lambda: labels.read("day.wav", "folders"), ValueError, "^expected a folder, got day.wav"),
        (lambda: labels.read("nothing"), ValueError, "^nothing: expected a folder with recordings or label files, got"),
    ],
)
def test_wrong_arguments(here: Path, call: Callable[[], object], error: type[Exception], message: str) -> None:
    (here / "nothing").mkdir()
    with pytest.raises(error, match=message):
        call()


def test_a_raven_table_without_a_selection_has_no_labels(here: Path) -> None:
    (here / "day.txt").write_text(RAVEN.splitlines()[0])
    frame = labels.read("day.txt")
    assert len(frame) == 0 and list(frame) == ["file", "start", "end", "label"]
    # Raven adds the column of the labels with the first of them.
    (here / "day.txt").write_text("Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\n")
    assert len(labels.read("day.txt")) == len(labels.read("day.txt", label_column="Call", columns=["Site"])) == 0


def test_an_empty_track_in_a_folder_has_no_labels(here: Path) -> None:
    (here / "found").mkdir()
    (here / "found/day.txt").write_text("1\t2\towl\n")
    (here / "found/night.txt").touch()
    assert labels.read("found", recordings=here)["label"].tolist() == ["owl"]
    (here / "found/day.txt").unlink()
    assert len(labels.read("found", recordings=here)) == 0


def test_folders_tell_recordings_of_one_name_apart(here: Path) -> None:
    for site in ("a", "b"):
        tone(here / f"sites/{site}/day.wav", 3)
        (here / f"found/{site}").mkdir(parents=True)
        (here / f"found/{site}/day.txt").write_text("1\t2\towl\n")
    assert labels.read("found", recordings="sites")["file"].tolist() == ["sites/a/day.wav", "sites/b/day.wav"]
    (here / "found/b").rename(here / "found/c")
    with pytest.raises(ValueError, match=r"^found/c/day\.txt: its recording could be .*sites/a.* or .*sites/b"):
        labels.read("found", recordings="sites")


def test_a_long_file_named_like_two_recordings(here: Path) -> None:
    tone(here / "day.flac", 1)
    (here / "day.txt").write_text("1\t2\towl\n")
    with pytest.raises(ValueError, match=r"^day\.txt: its recording could be .*day\.flac or .*day\.wav"):
        labels.read("day.txt")
    (here / "day.wav.txt").write_text("1\t2\towl\n")
    assert labels.read("day.wav.txt")["file"].tolist() == ["day.wav"]
