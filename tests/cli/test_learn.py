"""byola-hear learn: from folders, label files and tables to a classifier and a report."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from byola_hear import labels
from byola_hear.classification.file import load_classifier
from tests.classification.sounds import beep, quiet, write, write_clips, write_recordings
from tests.cli.result import Run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_folders_are_classes(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    result = run("learn", "clips", "-o", "calls.safetensors", "--report", "report.html")
    assert (result.code, result.err) == (0, "")
    first, header, *rows, last = result.out.splitlines()
    assert first == "window 0.5 s, the median length of the labels (--window)"
    assert header.split()[:4] == ["class", "windows", "groups", "AP"] and header.endswith("P≥0.9")
    assert [row.split()[:3] for row in rows[:2]] == [["beep", "6", "6"], ["hiss", "6", "6"]]
    assert rows[2].split()[0] == "mean"
    counts = "2 classes, 18 windows of 0.5 s, 6 negatives, 18 recordings"
    assert last == f"calls.safetensors: {counts}, checked in 5 folds, model both 1.5"
    classifier = load_classifier("calls.safetensors")
    assert (classifier.classes, classifier.window, classifier.hop) == (("beep", "hiss"), 0.5, 0.25)
    assert classifier.network.source == "both"
    assert run("learn", "clips", "-o", "calls.safetensors").err == (
        "error: calls.safetensors exists; give --overwrite to replace it\n"
    )
    assert run("learn", "clips", "-o", "calls.safetensors", "--overwrite", "-q") == (0, "", "")


def test_the_report_is_one_page_with_everything_in_it(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    # A wrong label, and a name that is no HTML.
    (here / "clips/hiss/0.wav").rename(here / "clips/beep/<b>.wav")
    assert run("learn", "clips", "-o", "calls.safetensors", "--report", "report.html").code == 0
    text = (here / "report.html").read_text(encoding="utf-8")
    assert "{{" not in text and not re.search(r"https?://", text) and "<b>.wav" not in text
    assert "default-src 'none'" in text
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert data["facts"]["examples"] == 18 and data["facts"]["folds"] == 5
    assert [line["label"] for line in data["classes"]] == ["beep", "hiss"]
    assert np.sum(data["confusion"]) == 18 and data["names"] == ["beep", "hiss", "(none)"]
    worst = data["mistakes"][0]
    assert worst["file"] == "clips/beep/<b>.wav" and worst["link"] == "./clips/beep/%3Cb%3E.wav"


def test_label_files_and_recordings(run: Run, here: Path) -> None:
    labels = write_recordings(here / "rec")
    result = run("learn", "--labels", "rec/labels.csv", "-o", "calls.safetensors", "--unlabelled")
    assert (result.code, result.err) == (0, "")
    assert "window 1 s" in result.out and "checked in 3 folds" in result.out
    about = load_classifier("calls.safetensors").about
    assert about["examples_of"] == labels["label"].value_counts().sort_index().to_dict()
    assert about["negatives"] > 50 and about["recordings"] == 3
    # Recordings elsewhere, times of another program, a column of another name, and a site.
    (here / "rec/labels.csv").unlink()
    lines = ["path;begin;end;Art;site"]
    lines += [f"D:\\x\\{row.file};{row.start:g};{row.end:g};{row.label};1" for row in labels.itertuples()]
    (here / "my labels.csv").write_text("\r\n".join(lines), encoding="utf-8-sig")
    arguments = ["learn", "rec", "--labels", "my labels.csv", "--label-column", "art", "-o", "two.safetensors"]
    result = run(*arguments, "--group", "site", "--window", "0.8", "--hop", "0.2")
    assert (result.code, result.err) == (0, "")
    assert "note: not checked, as it takes labels from two recordings or groups: beep, hiss" in result.out
    classifier = load_classifier("two.safetensors")
    assert (classifier.window, classifier.hop, classifier.about["groups"]) == (0.8, 0.2, 1)


def test_label_files_may_name_a_recording_by_different_paths(run: Run, here: Path) -> None:
    labels = write_recordings(here / "rec")
    for kind, folder in (("beep", "rec"), ("hiss", here / "rec")):
        named = labels[labels["label"] == kind].assign(file=lambda table, at=folder: f"{at}/" + table["file"])
        named.to_csv(f"{kind}.csv", index=False)
    arguments = ("learn", "--labels", "beep.csv", "--labels", "hiss.csv", "--unlabelled")
    assert run(*arguments, "-o", "mixed.safetensors").code == 0
    assert run("learn", "--labels", "rec/labels.csv", "--unlabelled", "-o", "plain.safetensors").code == 0
    about, expected = (load_classifier(f"{name}.safetensors").about for name in ("mixed", "plain"))
    assert (about["recordings"], about["negatives"]) == (3, expected["negatives"])


def test_a_table_instead_of_audio(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    assert run("embed", "clips", "-o", "clips.parquet", "--model", "speech").code == 0
    result = run("learn", "clips.parquet", "-o", "table.safetensors")
    assert (result.code, result.err) == (0, "")
    assert run("learn", "clips", "-o", "clips.safetensors", "--model", "speech").code == 0
    one, other = load_classifier("table.safetensors"), load_classifier("clips.safetensors")
    np.testing.assert_allclose(one.weight, other.weight, atol=1e-3)
    assert (one.classes, one.network) == (other.classes, other.network)
    rows = [(f"clips/{kind}/{number}.wav", kind) for kind in ("beep", "hiss") for number in range(6)]
    pd.DataFrame(rows, columns=["file", "label"]).to_csv("labels.csv", index=False)
    assert run("learn", "clips.parquet", "--labels", "labels.csv", "-o", "named.safetensors").code == 0
    assert load_classifier("named.safetensors").about["negatives"] == 0
    table = pd.read_parquet("clips.parquet")
    assert len(table) == 18
    assert run("embed", "clips", "-o", "clips.csv").code == 0
    result = run("learn", "clips.csv", "-o", "csv.safetensors")
    assert result.code == 2 and "clips.csv does not say which network made it" in result.err


def test_a_table_and_tracks_in_another_folder(run: Run, here: Path) -> None:
    found = write_recordings(here / "rec")
    assert run("embed", "rec", "--window", 1, "-o", "rec.parquet", "-q").code == 0
    labels.write(found.assign(file="rec/" + found["file"]), "tracks/", "audacity")
    result = run("learn", "rec.parquet", "--labels", "tracks", "-o", "calls.safetensors")
    assert (result.code, result.err) == (0, "")
    assert load_classifier("calls.safetensors").about["recordings"] == 3
    (here / "rec").rename(here / "elsewhere")
    result = run("learn", "rec.parquet", "--labels", "tracks", "-o", "x.safetensors")
    assert result.code == 2 and "expected a recording called 0, such as 0.wav, in the same folder" in result.err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_classes_whose_names_are_not_utf_8(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    name = os.fsdecode(b"\xe9t\xe9")
    (here / "clips/beep").rename(here / "clips" / name)
    assert run("embed", "clips", "-o", "clips.parquet").code == 0
    result = run("learn", "clips.parquet", "-o", "table.safetensors", "--report", "report.html", "-q")
    assert (result.code, result.err) == (0, "")
    assert load_classifier("table.safetensors").classes == ("hiss", name)
    for output in ("found.csv", "found.parquet"):
        assert run("predict", "table.safetensors", "clips", "-o", output, "--threshold", "0").code == 0
        found = labels.read(output)
        assert set(found["label"]) == {"hiss", name} and f"clips/{name}/0.wav" in set(found["file"])


def test_a_full_disk_is_no_wrong_usage(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    write_clips(here / "clips")
    monkeypatch.setattr("byola_hear.tables.journal.parts.Journal.write_part", full)
    result = run("learn", "clips", "-o", "calls.safetensors", "--embeddings", "kept.parquet", "-q")
    assert result.code == 1 and result.err.startswith("error: kept.parquet can't be written: No space left on device")
    assert result.err.count("\n") == 1 and not (here / "calls.safetensors").exists()


def test_the_classifier_is_kept_where_the_report_can_not_be_written(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", "report.html")

    write_clips(here / "clips", count=3)
    monkeypatch.setattr("byola_hear.classification.report.page.write_report", full)
    result = run("learn", "clips", "-o", "calls.safetensors", "--report", "report.html", "-q")
    assert result.code == 1 and "No space left on device: 'report.html'" in result.err
    assert load_classifier("calls.safetensors").classes == ("beep", "hiss")


def test_kept_embeddings_whose_rows_were_sorted_are_not_taken_for_others(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    command = ("learn", "clips", "-o", "calls.safetensors", "--embeddings", "kept/", "--window", "0.5", "--overwrite")
    assert run(*command).code == 0
    header, *lines = Path("kept/index.csv").read_text().splitlines(keepends=True)
    Path("kept/index.csv").write_text("".join([header, *reversed(lines)]))
    result = run(*command)
    assert result.code and "kept was changed after it was written; remove it" in result.err, result


def test_embeddings_are_kept(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    keeping = ("--embeddings", "kept.parquet", "--window", "0.5", "--overwrite")
    assert run("learn", "clips", "-o", "plain.safetensors", "--window", "0.5").code == 0
    assert run("learn", "clips", "-o", "calls.safetensors", *keeping).code == 0
    one, other = load_classifier("plain.safetensors"), load_classifier("calls.safetensors")
    np.testing.assert_array_equal(one.weight, other.weight)
    table = pd.read_parquet("kept.parquet")
    assert len(table) == 18
    # Rows that the recordings would not give show where the second run has them from.
    sound = here / "clips/beep/0.wav"
    stamp = sound.stat()
    sound.write_bytes(b"x" * stamp.st_size)
    os.utime(sound, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert run("learn", "clips", "-o", "calls.safetensors", *keeping).code == 0
    np.testing.assert_array_equal(load_classifier("calls.safetensors").weight, one.weight)
    # What is new is added.
    write(here / "clips/beep/new.wav", beep(0.5, 99))
    assert run("learn", "clips", "-o", "calls.safetensors", *keeping).code == 0
    assert load_classifier("calls.safetensors").about["examples"] == 19
    assert len(pd.read_parquet("kept.parquet")) == 19
    before = load_classifier("calls.safetensors")
    for others, message in (
        (
            ("--window", "0.4"),
            "kept.parquet was made with window 0.5, not 0.4, hop 0.25, not 0.2; give the same settings, or remove it",
        ),
        (("--model", "speech"), "kept.parquet was made with model both 1.5, not speech 1.5"),
    ):
        result = run("learn", "clips", "-o", "calls.safetensors", *keeping, *others)
        assert result.code == 2 and message in result.err and result.err.count("\n") == 1, result
    np.testing.assert_array_equal(load_classifier("calls.safetensors").weight, before.weight)
    result = run("learn", "kept.parquet", "-o", "x.safetensors", "--embeddings", "y.parquet")
    assert result.code == 2 and "without --window, --model, --embeddings and --dimensions" in result.err


def test_kept_embeddings_keep_their_window_where_new_labels_move_the_median(run: Run, here: Path) -> None:
    found = write_recordings(here / "rec")
    options = ("learn", "rec", "--labels", "l.csv", "--embeddings", "kept.parquet", "-o", "calls.safetensors")
    found.to_csv("l.csv", index=False)
    assert run(*options).out.startswith("window 1 s, the median length of the labels")
    found.assign(end=found["start"] + 1.5).to_csv("l.csv", index=False)
    result = run(*options, "--overwrite")
    assert (result.code, result.err) == (0, "") and result.out.startswith("window 1 s, that of kept.parquet")
    assert load_classifier("calls.safetensors").window == 1.0
    result = run(*options, "--overwrite", "--window", 1.5)
    assert result.code == 2 and "kept.parquet was made with window 1.0, not 1.5" in result.err


def test_one_clip_of_each_class(run: Run, here: Path) -> None:
    write_clips(here / "clips", count=1)
    result = run("learn", "clips", "-o", "calls.safetensors", "--report", "report.html")
    assert (result.code, result.err) == (0, "")
    assert "note: with fewer than 3 examples of each class, scores are cosines to their means, and" in result.out
    assert "not checked" in result.out
    assert load_classifier("calls.safetensors").method == "cosine"


def test_a_broken_clip_is_reported_and_the_others_are_used(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    (here / "clips/beep/broken.wav").write_bytes(b"RIFF....")
    result = run("learn", "clips", "-o", "calls.safetensors")
    assert result.code == 1 and result.err.count("\n") == 1
    assert result.err.startswith("error: clips/beep/broken.wav: ")
    assert load_classifier("calls.safetensors").about["examples"] == 18


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels and recordings with every mistake."""
    folder = tmp_path_factory.mktemp("mistakes")
    write_clips(folder / "clips", count=3)
    write_recordings(folder / "rec")
    write_clips(folder / "one", count=3, kinds=("beep",))
    write_clips(folder / "uneven", count=3)
    for number in (1, 2):
        (folder / f"uneven/hiss/{number}.wav").unlink()
    for kind in ("a", "b"):
        for number in range(3):
            write(folder / f"silent/{kind}/{number}.wav", np.zeros(8000))
    (folder / "empty").mkdir()
    write(folder / "long.wav", quiet(5.0))
    write(folder / "short.wav", beep(1.0))
    tables = {
        "missing": "nowhere.wav,1,2,owl\n",
        "beyond": "long.wav,1,2,owl\nlong.wav,4,9,owl\n",
        "contradictory": "long.wav,1,2,owl\nlong.wav,1.1,3,noise\n",
        "points": "long.wav,1,1,owl\nlong.wav,2,2,fox\n",
        "blank": "long.wav,1,2,\n",
        "many": "".join(f"long.wav,1,2,bird {number}\n" for number in range(10_000)),
    }
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text(f"file,start,end,label\n{rows}")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a folder of clips, a table or --labels; got nothing"),
        (["empty"], "expected a folder with recordings|no audio files"),
        (["nowhere"], "expected a folder of clips, a table or --labels, got nowhere"),
        (["one"], "something to tell 'beep' from: another class, or examples called background; all 3 examples are"),
        (["uneven"], r"expected at least 3 examples of each class, got fewer of hiss \(1\); add examples, leave"),
        (["silent"], "all 6 examples have the same embedding: there is nothing to learn; are they silent"),
        (["--labels", "missing.csv"], "missing.csv, line 2: no such recording: nowhere.wav"),
        (["--labels", "nowhere.csv"], "no such label file: nowhere.csv"),
        (["--labels", "beyond.csv"], "beyond.csv, line 3: the label 'owl' ends at 9 s, long.wav ends at 5.000 s"),
        (["--labels", "contradictory.csv"], r"long.wav: the labels 'noise' \(1.1–3 s\) and 'owl' \(1–2 s\) contradict"),
        (["--labels", "points.csv"], "the labels have no length to take the window's length from; give a window"),
        (["--labels", "blank.csv"], "1 of 1 labels have no text, the first in long.wav"),
        (["--labels", "many.csv"], "expected at most 1000 classes, got 10000"),
        (["--labels", "rec/labels.csv", "--group", "site"], "expected a column 'site'"),
        (["clips", "--group", "site"], "--group names a column of --labels"),
        (["--labels", "clips", "--group", "site"], "no label has a value in the column 'site'; Audacity"),
        (["clips", "--label-column", "x"], "--label-column names a column of --labels"),
        (["clips", "rec", "--labels", "rec/labels.csv"], "expected one folder with the recordings of --labels, got 2"),
        (["clips", "--window", "0"], "0.0 is not in the range x>0"),
        (["clips", "--window", "1e-9"], "window must be at least one sample"),
        (["clips", "--model", "spech"], "no model is called 'spech'"),
        (["nowhere.parquet"], "no table of embeddings: nowhere.parquet"),
        (["clips", "--report", "report.pdf"], "expected a report whose name ends in .html, got report.pdf"),
        (["clips", "--report", "nowhere/report.html"], "the folder of nowhere/report.html does not exist"),
    ],
)
def test_what_can_not_be_learned_is_one_line_and_nothing_is_written(
    run: Run, mistakes: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(mistakes)
    before = files(mistakes)
    result = run("learn", *arguments, "-o", "calls.safetensors")
    assert result.code == 2 and result.err.startswith("error: ") and result.err.count("\n") == 1, result
    assert re.search(message, result.err), result.err
    assert files(mistakes) == before


def test_outputs_that_can_not_be(run: Run, here: Path) -> None:
    for output, message in (
        ("calls.pkl", "expected a classifier whose name ends in .safetensors, got calls.pkl"),
        ("nowhere/calls.safetensors", "the folder of nowhere/calls.safetensors does not exist"),
    ):
        result = run("learn", "clips", "-o", output)
        assert (result.code, result.err) == (2, f"error: {message}\n")


@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_the_network_is_not_replaced(run: Run, models: Path, here: Path, options: tuple[str, ...]) -> None:
    write_clips(here / "clips", count=1)
    network = next(models.rglob("*.safetensors"))
    shutil.copy(network, "net.safetensors")
    os.symlink("net.safetensors", "link.safetensors")
    for output in ("net.safetensors", "clips/../net.safetensors", "link.safetensors"):
        result = run("learn", "clips", "--model", "net.safetensors", "-o", output, *options)
        message = f"error: expected an output that is no input, got {output}, which would be lost\n"
        assert (result.code, result.err) == (2, message)
    assert Path("net.safetensors").read_bytes() == network.read_bytes()


def test_a_window_longer_than_the_recordings(run: Run, here: Path) -> None:
    write_clips(here / "clips", count=3)
    result = run("learn", "clips", "-o", "calls.safetensors", "--window", "60")
    assert result.code == 0
    assert "note: all recordings are shorter than the window of 60 s; whole recordings are taken" in result.out
