"""Detections on disk: resumed, never half-written, never over another's files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from byola_hear import labels
from byola_hear.classification import outputs
from byola_hear.classification.detections import frame
from byola_hear.classification.outputs import JOURNAL, Folder, OutputError, check_single, finish_single
from byola_hear.tables.placing import remove
from byola_hear.utils.files import stamp_of, work_folder
from tests.classification.sounds import quiet, write

SETTINGS: dict[str, Any] = {"threshold": "best-f1", "hop": None}


@pytest.fixture
def files(here: Path) -> list[str]:
    names = ["a/1.wav", "a/2.wav", "b/1.wav", "b/1.flac"]
    for name in names:
        write(here / name, quiet(0.5))
    return names


def one(file: str) -> pd.DataFrame:
    return frame([(file, 0.1, 0.3, "owl", 0.75)])


def add(folder: Folder, file: str) -> None:
    folder.add(file, stamp_of(file), one(file))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("format", ["raven", "audacity", "csv", "parquet"])
def test_every_recording_has_a_file_that_labels_read_back(here: Path, files: list[str], format: str) -> None:
    with Folder(here / "found", format, SETTINGS) as folder:
        assert folder.plan(files) == files
        for file in files:
            add(folder, file)
        assert folder.count(files) == 4
    ending = {"raven": ".Table.1.selections.txt", "audacity": ".txt", "csv": ".csv", "parquet": ".parquet"}[format]
    expected = [f"a/1{ending}", f"a/2{ending}", f"b/1{ending}", f"b/1.flac{ending}", JOURNAL]
    assert names(here / "found") == sorted(expected)
    read = labels.read(here / f"found/a/1{ending}", recordings="a/1.wav" if format == "audacity" else None)
    assert read[["start", "end", "label"]].to_numpy().tolist() == [[0.1, 0.3, "owl"]]


def test_a_run_continues_where_it_was_cut_off(here: Path, files: list[str]) -> None:
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(files)
        add(folder, files[0])
        add(folder, files[1])
    with open(here / "found" / JOURNAL, "a") as journal:
        journal.write('{"file": "a/')  # a crash in the middle of a line
    write(here / files[1], quiet(0.7))
    with Folder(here / "found", "csv", SETTINGS) as folder:
        assert folder.plan([*files, files[2]]) == files[1:]
        for file in files[1:]:
            add(folder, file)
    (here / "found/b/1.csv").unlink()
    with Folder(here / "found", "csv", SETTINGS) as folder:
        assert folder.plan(files) == ["b/1.wav"]
        assert folder.plan(["a/1.wav"]) == []
    assert not [name for name in names(here / "found") if name.endswith(".tmp")]


def test_very_long_names_are_cut_and_stay_different(here: Path) -> None:
    recordings = [str(write(here / f"{'日' * 80}{end}.wav", quiet(0.5))) for end in ("ab", "ac", "ad")]
    with Folder(here / "found", "raven", SETTINGS) as folder:
        folder.plan(recordings)
        for file in recordings:
            add(folder, file)
    tables = [path for path in (here / "found").iterdir() if path.name != JOURNAL]
    assert sorted(labels.read(tables)["file"]) == recordings


def test_names_that_some_systems_take_for_one_stay_different(here: Path) -> None:
    recordings = [str(write(here / name, quiet(0.5))) for name in ("Été.wav", "e\u0301te\u0301.flac", "été.ogg")]
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(recordings[:1])
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(recordings)
        for file in recordings:
            add(folder, file)
    assert names(here / "found") == ["e\u0301te\u0301.flac.csv", JOURNAL, "Été.csv", "été.ogg.csv"]


def test_what_has_no_stamp_is_done_again(here: Path) -> None:
    # The scores of a table, whose recordings are not on this machine.
    for _ in range(2):
        with Folder(here / "found", "csv", SETTINGS) as folder:
            assert folder.plan(["far/1.wav"]) == ["far/1.wav"]
            folder.add("far/1.wav", None, one("far/1.wav"))


def test_a_file_that_was_written_just_before_a_crash_is_written_again(here: Path, files: list[str]) -> None:
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(files[:1])
    (here / "found/1.csv").write_text("whatever")
    with Folder(here / "found", "csv", SETTINGS) as folder:
        assert folder.plan(files[:1]) == files[:1]
        add(folder, files[0])
    assert len(pd.read_csv(here / "found/1.csv")) == 1


def test_what_a_killed_run_left_is_removed_by_the_next(here: Path, files: list[str]) -> None:
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(files)
        add(folder, files[0])
    left = [here / "found/a/.1.csv.abc_1234.tmp", here / "found/b/.1.flac.csv.00000000.tmp"]
    (here / "found/b").mkdir()
    others = [here / "found/a/.1.csv.notes", here / "found/a/.9.csv.abc_1234.tmp"]
    for file in [*left, *others]:
        file.write_text("half")
    with Folder(here / "found", "csv", SETTINGS) as folder:
        assert folder.plan(files) == files[1:]
    assert not any(file.exists() for file in left)
    assert all(file.exists() for file in others)


def test_other_settings_are_refused_or_replace_everything(here: Path, files: list[str]) -> None:
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(files)
        add(folder, files[0])
    before = names(here / "found")
    with pytest.raises(
        OutputError, match=r"found holds detections made with threshold best-f1, not 0\.5; take another folder"
    ):
        Folder(here / "found", "csv", {**SETTINGS, "threshold": "0.5"})
    with pytest.raises(OutputError, match="made with format csv, not raven"):
        Folder(here / "found", "raven", SETTINGS)
    assert names(here / "found") == before
    (here / "found/mine.csv").write_text("")
    with Folder(here / "found", "raven", SETTINGS, overwrite=True) as folder:
        assert folder.plan(files) == files
    assert names(here / "found") == ["mine.csv", JOURNAL]


def test_the_files_of_others_are_not_replaced(here: Path, files: list[str]) -> None:
    (here / "a/1.txt").write_text("labels of mine")
    with (
        Folder(here / "a", "audacity", SETTINGS) as folder,
        pytest.raises(OutputError, match=r"a/1\.txt exists and is not of this"),
    ):
        folder.plan(["a/2.wav", "a/1.wav"])
    assert (here / "a/1.txt").read_text() == "labels of mine"
    assert not (here / "a" / JOURNAL).exists()  # nothing was done: other settings may come
    (here / "other").mkdir()
    (here / "other" / JOURNAL).write_text("a,b\n1,2\n")
    with pytest.raises(OutputError, match="is not a journal of detections, or is damaged"):
        Folder(here / "other", "csv", SETTINGS)
    assert (here / "other" / JOURNAL).read_text() == "a,b\n1,2\n"
    with pytest.raises(OutputError, match=r"expected a folder for the detections, got the file .*1\.txt"):
        Folder(here / "a/1.txt", "csv", SETTINGS)


@pytest.mark.parametrize("name", ["../mine.csv", "a/../../mine.csv", "/mine.csv", "", 5])
def test_a_journal_names_no_files_outside_its_folder(here: Path, name: str | int) -> None:
    (here / "mine.csv").write_text("labels of mine")
    (here / "found").mkdir()
    outside = str(here / "mine.csv") if name == "/mine.csv" else name
    lines = [SETTINGS, {"file": "1.wav", "name": outside}]
    (here / "found" / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(OutputError, match="is not a journal of detections, or is damaged"):
        Folder(here / "found", "csv", SETTINGS, overwrite=True)
    assert (here / "mine.csv").read_text() == "labels of mine"


@pytest.mark.skipif(os.name != "posix", reason="locks are the system's")
def test_two_processes_do_not_write_to_one_folder(here: Path) -> None:
    with Folder(here / "found", "csv", SETTINGS), pytest.raises(OutputError, match="another process writes to"):
        Folder(here / "found", "csv", SETTINGS)
    Folder(here / "found", "csv", SETTINGS).close()


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no open file")
def test_a_folder_that_was_removed_is_not_made_again(here: Path, files: list[str]) -> None:
    with Folder(here / "found", "csv", SETTINGS) as folder:
        folder.plan(files)
        add(folder, files[0])
        shutil.rmtree(here / "found")
        for _ in range(2):
            with pytest.raises(OSError, match=r"was removed during the work: '.*found'"):
                add(folder, files[1])
            assert not (here / "found").exists()


def test_a_full_disk_names_the_journal(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError) as caught:
        Folder(here / "found", "csv", SETTINGS)
    assert str(caught.value) == f"[Errno 28] No space left on device: {str(here / 'found' / JOURNAL)!r}"


@pytest.mark.parametrize("name", ["found.csv", "found.parquet", "found.txt"])
def test_one_file_for_all(here: Path, files: list[str], name: str) -> None:
    path = here / name
    kind = check_single(path, False)
    folder = Folder(work_folder(path), "parquet", SETTINGS)
    folder.plan(files)
    for file in files[:2]:
        add(folder, file)
    folder.add(files[2], stamp_of(files[2]), frame([]))
    left = path.with_name(f".{path.name}.abc_1234.tmp")  # of a run that was killed while it wrote the file
    left.write_text("half")
    finish_single(path, kind, folder, files[:3])
    assert not work_folder(path).exists() and not left.exists()
    read = labels.read(path)
    assert [Path(file).name for file in read["file"]] == ["1.wav", "2.wav"]
    assert read["start"].tolist() == pytest.approx([0.1, 0.1]) and read["score"].tolist() == [0.75, 0.75]


def test_what_another_command_has_not_finished_stays(here: Path) -> None:
    rows = work_folder(here / "found.parquet") / "000000.part"
    rows.parent.mkdir()
    check_single(here / "found.parquet", False)
    rows.write_bytes(b"rows")
    with pytest.raises(OutputError, match=r"found\.parquet\.parts is needed for .* something else: 000000\.part$"):
        check_single(here / "found.parquet", True)
    assert rows.read_bytes() == b"rows"


def test_a_run_that_is_killed_while_it_tidies_up_continues(
    here: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    path = here / "found.csv"

    def remove_or_die(part: Path) -> None:
        if part == work_folder(path):
            raise Killed
        remove(part)

    monkeypatch.setattr(outputs, "remove", remove_or_die)
    for overwrite in (False, True):
        kind = check_single(path, overwrite)
        folder = Folder(work_folder(path), "parquet", SETTINGS)
        for file in folder.plan(files):
            add(folder, file)
        with pytest.raises(Killed):
            finish_single(path, kind, folder, files)
        assert names(work_folder(path)) == [JOURNAL]


def test_single_files_that_can_not_be(here: Path) -> None:
    for name, wished, message in (
        ("found.xlsx", None, r"expected a folder, or a file that ends in \.csv, \.parquet or \.txt \(Raven\), got"),
        ("found.csv", "raven", r"expected a folder for files of the format raven, got .*found\.csv"),
        ("nowhere/found.csv", None, r"the folder of .* does not exist"),
    ):
        with pytest.raises(OutputError, match=message):
            check_single(here / name, False, wished)
    (here / "found.csv").write_text("")
    with pytest.raises(OutputError, match="exists; give --overwrite"):
        check_single(here / "found.csv", False)
    assert check_single(here / "found.csv", True) == "csv"
