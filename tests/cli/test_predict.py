"""byola-hear predict: detections in every format, resumed, and what is refused."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

import byola_hear.ray
from byola_hear import labels
from byola_hear.classification.outputs import JOURNAL
from byola_hear.cli.main import main
from byola_hear.extraction.extract import extract
from byola_hear.tables.formats import as_parquet
from tests import forked
from tests.classification.sounds import quiet, write, write_recordings
from tests.cli.result import Run


@pytest.fixture(scope="module")
def learned(run_in: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a classifier and the recordings that it was learned from."""
    folder = tmp_path_factory.mktemp("learned")
    write_recordings(folder / "rec")
    run_in(folder, "learn", "--labels", "rec/labels.csv", "-o", "calls.safetensors", "--unlabelled")
    (folder / "rec/labels.csv").rename(folder / "truth.csv")
    return folder


@pytest.fixture
def here(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a copy of ``learned``."""
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def truth() -> pd.DataFrame:
    return labels.read("truth.csv", recordings="rec")


def check(found: pd.DataFrame) -> None:
    """Every sound is found once, where it is."""
    expected = truth()
    assert len(found) == len(expected)
    for row in expected.itertuples():
        (near,) = found[
            (found["file"].map(os.path.basename) == os.path.basename(row.file)) & (found["label"] == row.label)
        ][lambda table, at=row.start: (table["start"] < at + 0.9) & (table["end"] > at + 0.1)].itertuples()
        assert abs(near.start - row.start) <= 0.75 and abs(near.end - row.end) <= 0.75


@pytest.mark.parametrize("format", ["raven", "audacity", "csv", "parquet"])
def test_a_file_for_each_recording(run: Run, here: Path, format: str) -> None:
    result = run("predict", "calls.safetensors", "rec", "-o", "found/", "--format", format)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("found: 12 detections in 3 recordings; 0:01:00 of audio now, at ")
    found = sorted(path for path in (here / "found").iterdir() if path.name != JOURNAL)
    assert [path.name.partition(".")[0] for path in found] == ["0", "1", "2"]
    check(labels.read(found, recordings="rec"))


@pytest.mark.parametrize("name", ["found.csv", "found.parquet", "found.txt"])
def test_one_file_for_all(run: Run, here: Path, name: str) -> None:
    result = run("predict", "calls.safetensors", "rec", "-o", name)
    assert (result.code, result.err) == (0, "")
    check(labels.read(name))
    assert not (here / f"{name}.parts").exists()
    result = run("predict", "calls.safetensors", "rec", "-o", name)
    assert (result.code, result.err) == (2, f"error: {name} exists; give --overwrite to replace it\n")
    assert run("predict", "calls.safetensors", "rec/0.wav", "-o", name, "--overwrite").code == 0
    assert len(labels.read(name)) == 4


def test_without_an_output_detections_are_printed(run: Run, here: Path) -> None:
    # Smoothing lowers the peaks of this small network.
    result = run("predict", "calls.safetensors", "rec", "--hop", "0.25", "--smooth", "0.5", "--threshold", "0.3")
    assert (result.code, result.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert {row["label"] for row in rows} == {"beep", "hiss"} and len(rows) >= 10
    top = run("predict", "calls.safetensors", "rec", "--threshold", "0", "--no-merge", "--top", "2")
    assert len(top.out.splitlines()) == 1 + 3 * 2 * 2
    none = run("predict", "calls.safetensors", "rec", "--threshold", "1")
    assert none == (0, "file,start,end,label,score\n", "")


def test_a_run_continues(run: Run, here: Path) -> None:
    arguments = ("predict", "calls.safetensors", "rec", "-o", "found/")
    (here / "rec/broken.wav").write_bytes(b"RIFF....")
    result = run(*arguments)
    assert result.code == 1
    assert result.err.splitlines()[0].startswith("error: rec/broken.wav: ")
    assert result.err.splitlines()[1] == "1 recording could not be searched, see found/predict.errors.csv"
    assert "12 detections in 3 recordings;" in result.out
    before = {path.name: path.stat().st_mtime_ns for path in (here / "found").glob("?.*")}
    shutil.copy("rec/0.wav", "rec/broken.wav")
    write(here / "rec/1.wav", quiet(2.0))
    result = run(*arguments)
    assert (result.code, result.err) == (0, "")
    assert "12 detections in 4 recordings, 2 of them searched before; 0:00:22 of audio now" in result.out
    assert not (here / "found/predict.errors.csv").exists()
    (here / "found/predict.errors.csv").write_text("mine")
    assert run(*arguments).code == 2 and (here / "found/predict.errors.csv").read_text() == "mine"
    (here / "found/predict.errors.csv").unlink()
    after = {path.name: path.stat().st_mtime_ns for path in (here / "found").glob("?.*")}
    assert [name for name in before if before[name] != after[name]] == ["1.Table.1.selections.txt"]
    assert "nothing was left to embed" in run(*arguments).out
    result = run(*arguments, "--threshold", "0.7")
    assert result.code == 2 and "found holds detections made with threshold best-f1, not 0.7" in result.err
    assert run(*arguments, "--threshold", "0.7", "--overwrite").code == 0


@pytest.mark.skipif(os.name != "posix", reason="signals are the system's")
def test_a_run_that_was_killed_continues(run: Run, here: Path) -> None:
    for number in range(3, 20):
        shutil.copy("rec/0.wav", f"rec/{number}.wav")
    arguments = ["predict", "calls.safetensors", "rec", "-o", "found/", "--format", "csv"]

    def dying() -> None:
        forked.kill_at(3, ".csv")
        main(arguments)

    assert forked.wait(forked.start(dying)) == -signal.SIGKILL
    assert len(list((here / "found").glob("*.csv"))) == 3
    result = run(*arguments)
    assert result.code == 0 and " in 20 recordings" in result.out
    found = [pd.read_csv(here / f"found/{number}.csv") for number in range(20)]
    assert sum(map(len, found)) == 17 * len(found[0]) + sum(map(len, found[:3])) and len(found[0])
    whole = run("predict", "calls.safetensors", "rec", "-o", "whole/", "--format", "csv")
    assert whole.code == 0
    for number in range(20):
        assert (here / f"found/{number}.csv").read_bytes() == (here / f"whole/{number}.csv").read_bytes()


def test_a_table_instead_of_recordings(run: Run, here: Path) -> None:
    assert run("embed", "rec", "-o", "rec.parquet", "--window", "1", "--hop", "0.5").code == 0
    result = run("predict", "calls.safetensors", "rec.parquet", "-o", "table.csv")
    assert (result.code, result.err) == (0, "")
    assert run("predict", "calls.safetensors", "rec", "-o", "audio.csv").code == 0
    one, other = pd.read_csv("table.csv"), pd.read_csv("audio.csv")
    pd.testing.assert_frame_equal(one, other, atol=1e-4)
    assert run("embed", "rec", "-o", "other.parquet", "--window", "1", "--model", "speech").code == 0
    result = run("predict", "calls.safetensors", "other.parquet", "-o", "no.csv")
    assert result.code == 2 and "other.parquet has those of another network" in result.err
    assert not (here / "no.csv").exists() and not (here / "no.csv.parts").exists()
    content = (here / "rec.parquet").read_bytes()
    result = run("predict", "calls.safetensors", "rec.parquet", "-o", "./rec.parquet", "--overwrite")
    assert result.code == 2 and "expected an output that is no input, got ./rec.parquet, which" in result.err
    assert (here / "rec.parquet").read_bytes() == content


def test_a_folder_keeps_the_errors_of_other_recordings(run: Run, here: Path) -> None:
    for name in ("rec/first.wav", "rec/second.wav"):
        (here / name).write_bytes(b"RIFF....")
    arguments = ("predict", "calls.safetensors", "-o", "found/")
    errors = here / "found/predict.errors.csv"
    assert run(*arguments, "rec/0.wav", "rec/first.wav").code == 1
    result = run(*arguments, "rec/1.wav", "rec/second.wav")
    assert result.code == 1 and "1 recording could not be searched" in result.err
    assert pd.read_csv(errors)["file"].tolist() == ["rec/first.wav", "rec/second.wav"]
    result = run(*arguments, "rec/2.wav")
    assert (result.code, result.err) == (0, "") and len(pd.read_csv(errors)) == 2
    for name in ("rec/first.wav", "rec/second.wav"):
        shutil.copy("rec/0.wav", name)
    assert run(*arguments, "rec").code == 0 and not errors.exists()


def test_printed_rows_of_a_name_with_a_carriage_return(run: Run, here: Path) -> None:
    name = "Icon\r.wav"  # as macOS names its icons
    shutil.copy("rec/0.wav", name)
    result = run("predict", "calls.safetensors", name)
    rows = list(csv.reader(io.StringIO(result.out, newline="")))
    assert result.code == 0 and len(rows) > 1
    assert all(len(row) == 5 and row[0] == name for row in rows[1:])


def test_a_class_that_never_reaches_a_precision_is_named(run: Run, here: Path) -> None:
    result = run("predict", "calls.safetensors", "rec", "--threshold", "precision=1.0", "-o", "found.csv")
    assert result.code == 0
    labels_found = set(pd.read_csv("found.csv")["label"])
    for name in {"beep", "hiss"} - labels_found:
        assert f"note: no threshold of {name} reaches precision=1.0, so it is not detected" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.safetensors", "rec"], "no such classifier: nowhere.safetensors"),
        (["truth.csv", "rec"], "truth.csv: not a classifier"),
        (["calls.safetensors"], "expected recordings, a table or --list; got nothing"),
        (
            ["calls.safetensors", "rec", "--threshold", "best"],
            "expected a threshold from 0 to 1, best-f1 or precision=0.9",
        ),
        (["calls.safetensors", "rec", "--model", "speech"], "the classifier needs embeddings of both 1.5 (fingerprint"),
        (["calls.safetensors", "rec", "--hop", "1e-9"], "hop must be at least one sample"),
        (["calls.safetensors", "rec", "--top", "0"], "0 is not in the range x>=1"),
        (["calls.safetensors", "rec", "--gap", "nan"], "expected a finite number, got nan"),
        (
            ["calls.safetensors", "rec", "-o", "found.xlsx"],
            "expected a folder, or a file that ends in .csv, .parquet or",
        ),
        (
            ["calls.safetensors", "rec", "-o", "found.csv", "--format", "raven"],
            "expected a folder for files of the format",
        ),
        (["calls.safetensors", "rec", "--format", "raven"], "--format needs an output"),
        (["calls.safetensors", "rec", "--shard", "3/3"], "expected a share i/n with i from 0 to n - 1"),
        (["calls.safetensors", "rec", "--ray", "local", "--device", "cpu"], "--device does not apply to --ray"),
        (["calls.safetensors", "table.parquet", "--shard", "0/2"], "expected one table alone, without --hop, --model,"),
        (["calls.safetensors", "rec", "--overwrite"], "--overwrite needs an output"),
        (["calls.safetensors", "rec", "-o", "nowhere/found.csv"], "the folder of nowhere/found.csv does not exist"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_written(
    run: Run, learned: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(learned)
    before = set(learned.rglob("*"))
    result = run("predict", *arguments)
    assert result.code == 2 and result.err.startswith("error: ") and result.err.count("\n") == 1, result
    assert message in result.err, result.err
    assert set(learned.rglob("*")) == before


def test_shares_are_together_the_whole(run: Run, here: Path) -> None:
    assert run("predict", "calls.safetensors", "rec", "-o", "all.csv", "-q").code == 0
    for share in range(4):  # of three recordings
        result = run("predict", "calls.safetensors", "rec", "--shard", f"{share}/4", "-o", f"share-{share}.csv")
        assert result.code == 0, result
    assert result.err == "nothing to search in share 3/4\n" and not (here / "share-3.csv").exists()
    shares = [pd.read_csv(f"share-{share}.csv") for share in range(3)]
    assert all(share["file"].nunique() == 1 for share in shares)
    found = pd.concat(shares).sort_values(["file", "start", "label"], ignore_index=True)
    pd.testing.assert_frame_equal(
        found, pd.read_csv("all.csv").sort_values(["file", "start", "label"], ignore_index=True)
    )


def test_a_cluster_gives_the_same(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stands_in(clips: Any, model: Any, request: Any, *, address: str, workers: int | None) -> Any:
        assert (address, workers) == ("head:6379", 3)
        return extract(clips, model, request)

    monkeypatch.setattr(byola_hear.ray, "extract_on_ray", stands_in)
    here_too = run("predict", "calls.safetensors", "rec")
    assert run("predict", "calls.safetensors", "rec", "--ray", "head:6379", "--workers", "3") == here_too


def test_no_cluster_is_wrong_usage(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("predict", "calls.safetensors", "rec", "-o", "found/", "--ray", "head:6379")
    assert result.code == 2 and "pip install 'byola-hear[ray]'" in result.err


def spoil(source: str, target: str) -> None:
    """Copy a table with NaN in one of its embeddings."""
    about = as_parquet.read_about(Path(source))
    (batch,) = as_parquet.read(Path(source))
    embeddings = batch.embeddings.copy()
    embeddings[3, 5] = np.nan
    assert about is not None
    as_parquet.write(Path(target), [replace(batch, embeddings=embeddings)], about)


def test_tables_that_do_not_fit_are_refused(run: Run, here: Path) -> None:
    for name, options in (
        ("other", ("--model", "speech", "--window", "1")),
        ("longer", ("--window", "2")),
        ("times", ("--kind", "timestamp")),
        ("table", ("--window", "1", "--hop", "0.5")),
    ):
        assert run("embed", "rec", "-o", f"{name}.parquet", "-q", *options).code == 0
    spoil("table.parquet", "nan.parquet")
    (here / "torn.parquet").write_bytes((here / "table.parquet").read_bytes()[:2000])
    before = set(here.rglob("*"))
    for name, message in (
        ("other", "the classifier needs embeddings of both 1.5 (fingerprint"),
        ("longer", "longer.parquet: its windows are 2 s long, the classifier's 1 s; embed with --window 1"),
        ("times", "times.parquet: expected a table of scenes, got one of timestamps"),
        ("nan", "1 of 117 embeddings hold NaN or infinity, the first in row 3"),
        ("torn", "torn.parquet"),
    ):
        result = run("predict", "calls.safetensors", f"{name}.parquet", "-o", "found/")
        assert (result.code, result.err.count("\n")) == (2, 1) and message in result.err, result
    result = run("learn", "nan.parquet", "--labels", "truth.csv", "-o", "x.safetensors")
    assert (result.code, result.err.count("\n")) == (2, 1) and "hold NaN or infinity" in result.err, result
    assert set(here.rglob("*")) == before


@pytest.fixture
def odd(here: Path) -> list[str]:
    """Recordings whose names some formats or file systems can't hold."""
    names = [b"n\xe9.wav", b"new\nline.wav", "日".encode() * 80 + b".wav"]
    paths = ["odd/plain.wav", *(f"odd/{os.fsdecode(name)}" for name in names)]
    for path in paths:
        (here / path).parent.mkdir(exist_ok=True)
        shutil.copy("rec/0.wav", path)
    return paths


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("format", ["raven", "audacity", "csv", "parquet"])
def test_odd_names_do_not_end_the_run(run: Run, here: Path, odd: list[str], format: str) -> None:
    result = run("predict", "calls.safetensors", "odd", "-o", "found/", "--format", format)
    refused = ["odd/new\nline.wav"] if format in ("raven", "audacity") else []
    n_done = len(odd) - len(refused)
    assert result.code == len(refused) and f"{4 * n_done} detections in {n_done} recordings" in result.out
    errors = here / "found/predict.errors.csv"
    assert errors.exists() == bool(refused)
    written = [path for path in (here / "found").iterdir() if path.name not in (JOURNAL, errors.name)]
    assert len(written) == n_done
    assert {len(labels.read(path, recordings="odd/plain.wav", missing="keep")) for path in written} == {4}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("name", ["found.csv", "found.parquet", "found.txt"])
def test_odd_names_are_in_one_file(run: Run, here: Path, odd: list[str], name: str) -> None:
    result = run("predict", "calls.safetensors", "odd", "-o", name)
    refused = {"odd/new\nline.wav"} if name == "found.txt" else set()
    assert result.code == len(refused) and result.err.count("error: ") == len(refused)
    assert set(map(os.path.relpath, labels.read(name)["file"])) == set(odd) - refused
    # The table of embeddings of these recordings has the same.
    assert run("embed", "odd", "-o", "odd.parquet", "--window", "1", "--hop", "0.5").code == 0
    assert run("predict", "calls.safetensors", "odd.parquet", "-o", f"table-{name}").code == len(refused)
    assert len(labels.read(f"table-{name}")) == len(labels.read(name))


def test_a_recording_shorter_than_the_window_and_one_of_silence(run: Run, here: Path) -> None:
    write(here / "odd/short.wav", quiet(0.2))
    write(here / "odd/silent.wav", 0 * quiet(5.0))
    result = run("predict", "calls.safetensors", "odd", "-o", "odd.csv", "-q")
    assert result == (0, "", "")
    assert not len(pd.read_csv("odd.csv"))


def test_an_empty_folder_and_missing_recordings(run: Run, here: Path) -> None:
    (here / "empty").mkdir()
    result = run("predict", "calls.safetensors", "empty", "nowhere.wav", "-o", "found/")
    assert result.code == 1
    assert result.err.splitlines() == [
        "error: empty: no audio files in the folder",
        "error: nowhere.wav: no such file or folder",
        "error: no recording could be searched; found has no results",
    ]


@pytest.mark.parametrize("command", ["predict", "search"])
def test_a_reader_that_ends_early_is_no_error(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    arguments = ["calls.safetensors", "rec"]
    if command == "search":
        assert run("embed", "rec", "--window", "1", "-o", "t.parquet").code == 0
        arguments = ["t.parquet", "rec/0.wav"]
    reader, writer = os.pipe()
    os.close(reader)
    stdout = open(writer, "w")  # noqa: SIM115, as closing it fails
    monkeypatch.setattr("sys.stdout", stdout)
    assert run(command, *arguments) == (1, "", "")
    with pytest.raises(BrokenPipeError):
        stdout.close()
