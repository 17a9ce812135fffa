"""The command ``byola-hear search``."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from byola_hear import labels
from tests.cli.result import Run


@pytest.fixture(scope="module")
def embedded(run_in: Callable[..., None], clips_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings and tables of them."""
    folder = tmp_path_factory.mktemp("embedded")
    shutil.copytree(clips_folder, folder / "data")
    for options in (
        ("t.parquet", "--window", 0.5),
        ("times.parquet", "--kind", "timestamp", "--hop", 0.5),
        ("t.csv",),
    ):
        run_in(folder, "embed", "data", "-q", "-o", *options)
    return folder


@pytest.fixture
def here(embedded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a copy of ``embedded``."""
    shutil.copytree(embedded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_hits_on_the_terminal(here: Path, run: Run) -> None:
    query = "data/speech_french_16k.wav"
    assert run("embed", "data", "-o", "whole.parquet", "-q").code == 0
    done = run("search", "whole.parquet", query, "-n", 3)
    assert (done.code, done.err) == (0, "")
    header, first, *others = done.out.splitlines()
    assert header.split() == ["file", "start", "s", "end", "s", "score"]
    assert first.split() == [query, "0.000", "1.479", "1.000"] and len(others) == 2
    part = run("search", "whole.parquet", query, "-n", 3, "--from", "0:00.5", "--to", 1)
    assert part.code == 0 and part.out != done.out
    hits = [json.loads(line) for line in run("search", "t.parquet", query, "--format", "json").out.splitlines()]
    assert set(hits[0]) == {"file", "start", "end", "score"}
    text = run("search", "t.parquet", query, "--format", "raven", "--exclude", "data/drum_stereo_44k.flac").out
    (here / "all.txt").write_text(text)
    assert set(labels.read("all.txt")["label"]) == {"speech_french_16k"}


def test_a_table_in_another_precision(here: Path, run: Run) -> None:
    query = "data/speech_french_16k.wav"
    assert run("embed", "data", "-o", "int8.parquet", "-q", "--precision", "int8").code == 0
    done = run("search", "int8.parquet", query, "-n", 1, "--cosine", "plain")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1].split() == [query, "0.000", "1.479", "1.000"]


def test_hits_as_label_files_and_as_clips(here: Path, run: Run) -> None:
    search = ("search", "t.parquet", "data/piano_stereo_44k.mp3", "-n", 5, "--no-merge", "--cosine", "plain")
    done = run(*search, "-o", "hits.csv", "--clips", "hits")
    assert (done.code, done.out, done.err) == (0, "", "")
    frame = labels.read("hits.csv")
    assert list(frame) == ["file", "start", "end", "label", "score"] and len(frame) == 5
    clips = sorted(Path("hits").iterdir())
    assert [clip.name[:2] for clip in clips] == ["1_", "2_", "3_", "4_", "5_"]
    assert [soundfile.info(clip).duration for clip in clips] == pytest.approx(
        (frame["end"] - frame["start"]).tolist(), abs=1e-3
    )
    assert run(*search, "-o", "found/", "--format", "audacity").code == 0
    assert len(labels.read("found", recordings="data")) == 5
    # A recording that is gone has no clip; the others have theirs.
    Path(frame["file"][4]).unlink()
    done = run(*search[:3], *search[3:], "--clips", "hits", "--overwrite")
    assert (done.code, done.err.count("\n")) == (2 if "piano" in frame["file"][4] else 1, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_odd_names(here: Path, run: Run) -> None:
    names = [os.fsdecode(b"n\xe9.mp3"), "日" * 80 + ".mp3"]
    for name in names:
        shutil.copy("data/piano_stereo_44k.mp3", f"data/{name}")
    assert run("embed", "data", "-o", "odd.parquet", "-q").code == 0
    search = ("search", "odd.parquet", f"data/{names[0]}", "-n", 3)
    assert run(*search, "-o", "hits.parquet", "--clips", "hits") == (0, "", "")
    hits = labels.read("hits.parquet")
    assert {f"data/{name}" for name in names} < set(hits["file"]) and set(hits["label"]) == {Path(names[0]).stem}
    assert len(list((here / "hits").glob("*.wav"))) == 3
    done = run(*search, "-o", "found/", "--format", "raven")
    assert (done.code, done.err) == (0, "") and len(labels.read("found")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.parquet", "data/drum_stereo_44k.flac"], "no table of embeddings: none.parquet"),
        (["t.parquet", "nothing.wav"], "no such file or folder: nothing.wav"),
        (["t.parquet", "data", "--from", "1"], "start and end are for one query, got 6"),
        (["t.parquet", "data", "--from", "soon"], "expected a time as seconds or H:MM:SS, got 'soon'"),
        (["t.parquet", "data", "--model", "speech"], "t.parquet was made with the model both 1.5, not with speech 1.5"),
        (["t.parquet", "data", "--format", "json", "-o", "x.json"], "--format json is for the terminal"),
        (["t.parquet", "data", "-o", "t.csv"], "t.csv exists; give --overwrite"),
        (["t.parquet", "data", "-o", "t.parquet", "--overwrite"], "expected an output that is no input, got t.parquet"),
        (
            [
                "t.parquet",
                "data/drum_stereo_44k.flac",
                "-o",
                "./data/drum_stereo_44k.flac",
                "--format",
                "csv",
                "--overwrite",
            ],
            "expected an output that is no input, got ./data/drum_stereo_44k.flac",
        ),
        # Before anything is searched.
        (["none.parquet", "data", "-o", "x.txt"], "x.txt does not say its format; give --format csv, raven or"),
        (["none.parquet", "data", "-o", "x/"], "x/ does not say its format; give --format csv, raven or audacity"),
        (["none.parquet", "data", "-o", "x/y.csv"], "the folder of x/y.csv does not exist"),
        (["t.parquet", "data", "--clips", "t.parquet"], "expected a folder as --clips, got the file t.parquet"),
        (["t.parquet", "data", "--clips", "data"], "data is not empty; give --overwrite to write into it"),
        (["t.parquet", "data", "--format", "audacity"], "an Audacity label track belongs to one recording"),
        (["times.parquet", "data"], "times.parquet is a table of timestamps"),
        (["t.csv", "data"], "t.csv does not say which model made it; give the model"),
    ],
)
def test_wrong_usage(
    embedded: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(embedded)
    before = sorted(embedded.rglob("*"))
    done = run("search", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err and done.err.count("\n") == 1
    assert sorted(embedded.rglob("*")) == before
