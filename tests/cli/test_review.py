"""byola-hear review: every format of detections, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from byola_hear import labels
from tests.classification.sounds import quiet, write, write_clips, write_recordings
from tests.cli.result import Run


@pytest.fixture(scope="module")
def detected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings and detections in found.csv."""
    folder = tmp_path_factory.mktemp("detected")
    table = write_recordings(folder / "rec")
    (folder / "rec/labels.csv").unlink()
    scored = table.assign(file="rec/" + table["file"], score=[0.3 + 0.05 * place for place in range(len(table))])
    scored.to_csv(folder / "found.csv", index=False)
    return folder


@pytest.fixture
def here(detected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a copy of ``detected``."""
    shutil.copytree(detected, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def data_of(page: Path | str) -> dict[str, Any]:
    found = re.search(r'type="application/json">(.*?)</script', Path(page).read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def windows_of(page: Path | str) -> list[tuple[Any, ...]]:
    data = data_of(page)
    return sorted(
        (Path(data["files"][each["file"]]).name, each["start"], each["end"], data["labels"][each["label"]])
        for each in data["windows"]
    )


def test_a_page_with_all_detections(run: Run, here: Path) -> None:
    result = run("review", "found.csv", "-o", "review.html")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(r"review\.html: 12 windows of 12 detections, 2 classes, 3 recordings, 0\.\d\d MB\n", result.out)
    table = pd.read_csv("found.csv")
    expected = sorted((Path(file).name, *rest) for file, *rest in table.iloc[:, :4].itertuples(index=False))
    assert windows_of("review.html") == expected
    data = data_of("review.html")
    assert data["title"] == "review" and data["classes"] == ["beep", "hiss"]
    first = data["windows"][0]
    assert first["begin"] == first["start"] - 1 and first["rate"] == 16000
    result = run("review", "found.csv", "-o", "review.html")
    assert (result.code, result.err) == (2, "error: review.html exists; give --overwrite to replace it\n")
    options = ("--choose", "top", "--per-class", 1, "--context", 0, "--title", "Calls", "--overwrite")
    assert run("review", "found.csv", "-o", "review.html", *options).code == 0
    data = data_of("review.html")
    assert [each["score"] for each in data["windows"]] == [0.8, 0.85] and data["title"] == "Calls"
    assert all(each["begin"] == each["start"] for each in data["windows"])


@pytest.mark.parametrize("format", ["raven", "audacity", "csv", "parquet"])
def test_every_format_of_detections(run: Run, here: Path, format: str) -> None:
    table = labels.read("found.csv")
    labels.write(table, "found/", format)
    (here / "found/predict.errors.csv").write_text("file,error\nbroken.wav,damaged\n")
    assert run("review", "found", "--recordings", "rec", "-o", "review.html")[:3:2] == (0, "")
    assert windows_of("review.html") == sorted(
        (Path(row.file).name, row.start, row.end, row.label) for row in table.itertuples()
    )


def test_tracks_of_predict_of_which_some_are_empty(run: Run, here: Path) -> None:
    write_clips(here / "clips", count=3)
    assert run("learn", "clips", "-o", "calls.safetensors").code == 0
    write(here / "rec/quiet.wav", quiet(5.0, 99))
    assert run("predict", "calls.safetensors", "rec", "-o", "tracks/", "--format", "audacity").code == 0
    assert not (here / "tracks/quiet.txt").stat().st_size
    result = run("review", "tracks", "--recordings", "rec", "-o", "review.html")
    assert (result.code, result.err) == (0, "")
    assert {row[0] for row in windows_of("review.html")} == {"0.wav", "1.wav", "2.wav"}


def test_paths_of_another_computer(run: Run, here: Path) -> None:
    text = Path("found.csv").read_text().replace("rec/", "/elsewhere/rec/")
    Path("found").mkdir()
    Path("found/found.csv").write_text(text)
    result = run("review", "found/found.csv", "-o", "review.html")
    assert result.code == 2 and "no such recording: /elsewhere/rec/0.wav" in result.err
    assert run("review", "found/found.csv", "-o", "review.html", "--recordings", "rec").code == 0
    assert sorted(data_of("review.html")["files"]) == ["rec/0.wav", "rec/1.wav", "rec/2.wav"]


def test_a_folder_of_clips_has_whole_recordings(run: Run, here: Path) -> None:
    for number, kind in enumerate(("beep", "hiss")):
        write(here / "clips" / kind / "x.wav", quiet(1.0 + number))
    result = run("review", "clips", "-o", "review.html")
    assert result.code == 0
    assert windows_of("review.html") == [("x.wav", 0, 1, "beep"), ("x.wav", 0, 2, "hiss")]


def test_long_detections_are_shortened(run: Run, here: Path) -> None:
    pd.DataFrame({"file": ["rec/0.wav"], "start": [2.0], "end": [18.0], "label": ["beep"]}).to_csv(
        "long.csv", index=False
    )
    result = run("review", "long.csv", "-o", "review.html", "--longest", "4")
    assert result.code == 0 and "1 detection longer than 4 s (--longest)" in result.out
    assert windows_of("review.html") == [("0.wav", 8, 12, "beep")]


def test_the_thresholds_of_a_classifier(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    truth = pd.read_csv("found.csv")
    truth.to_csv("truth.csv", index=False)
    assert run("learn", "--labels", "truth.csv", "-o", "calls.safetensors", "--unlabelled").code == 0
    arguments = ("review", "found.csv", "-o", "review.html", "--choose", "margin", "--per-class", 2)
    assert run(*arguments, "--threshold", "calls.safetensors").code == 0
    truth.assign(label="newt").to_csv("other.csv", index=False)
    result = run("review", "other.csv", *arguments[2:], "--threshold", "calls.safetensors", "--overwrite")
    assert (result.code, result.err) == (2, "error: the classifier has no class 'newt', but beep, hiss\n")


def test_recordings_that_can_not_be_read(run: Run, here: Path) -> None:
    shutil.copy("rec/0.wav", "rec/copy.wav")
    (here / "rec/0.wav").write_bytes(b"RIFF....")
    result = run("review", "found.csv", "-o", "review.html")
    assert result.code == 1 and result.err.startswith("error: rec/0.wav: ") and result.err.count("\n") == 1
    assert "8 windows of 12 detections" in result.out and len(windows_of("review.html")) == 8
    for name in ("1.wav", "2.wav"):
        (here / "rec" / name).write_bytes(b"")
    result = run("review", "found.csv", "-o", "none.html")
    assert result.code == 1
    assert result.err.splitlines()[-1] == "error: no recording could be read; none.html was not written"
    assert not (here / "none.html").exists()


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (None, [], "found.csv: the file is empty"),
        ("file,start,end,label,score\n", [], "expected detections, got none: found.csv"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--choose", "margin"], "margin needs scores, but 1 of 1"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--choose", "top"], "top needs scores, but 1 of 1 detections"),
        ("file,start,end,label,score\nrec/0.wav,1,2,a,nan\n", ["--choose", "top"], "top needs scores"),
        ("file,start,end,label,score\nrec/0.wav,1,2,a,inf\n", [], "expected a number as the score, got 'inf'"),
        ("file,start,end,label\nrec/9.wav,1,2,a\n", [], "found.csv, line 2: no such recording: rec/9.wav"),
        ("file,start,end,label\nrec/0.wav,1,99,a\n", [], "the label 'a' ends at 99 s, rec/0.wav ends at 20.000 s"),
        ("file,start,end,label\nrec/0.wav,1,2,\n", [], "1 of 1 labels have no text"),
        ("x\n", [], "expected a Raven selection table"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--threshold", "0.7"], "--threshold is for --choose margin"),
        (
            "file,start,end,label,score\nrec/0.wav,1,2,a,0.5\n",
            ["--choose", "margin", "--threshold", "x.safetensors"],
            "expected a number or the file of a classifier as --threshold, got x.safetensors",
        ),
        (
            "file,start,end,label,score\nrec/0.wav,1,2,a,0.5\n",
            ["--choose", "margin", "--threshold", "nan"],
            "expected a finite number as --threshold, got nan",
        ),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--recordings", "nowhere"], "no such recording"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["-o", "page.pdf"], "ends in .html"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["-o", "none/page.html"], "does not exist"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--per-class", "0"], "0 is not in the range"),
        ("file,start,end,label\nrec/0.wav,1,2,a\n", ["--context", "nan"], "expected a finite number, got nan"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_written(
    run: Run, here: Path, rows: str | None, options: list[str], message: str
) -> None:
    Path("found.csv").write_text(rows or "")
    before = set(here.rglob("*"))
    result = run("review", "found.csv", *(["-o", "review.html"] if "-o" not in options else []), *options)
    assert result.code == 2 and result.err.startswith("error: ") and result.err.count("\n") == 1, result
    assert message in result.err, result.err
    assert set(here.rglob("*")) == before
