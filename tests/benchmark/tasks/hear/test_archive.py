"""HEAR's published tasks from a server on this machine, in their true layout."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmark.tasks.hear import archive as module
from benchmark.tasks.hear.archive import HEAR_VARIABLE, prepare_hear
from benchmark.tasks.hear.completing import is_complete
from benchmark.tasks.hear.table import HEAR_TASKS
from benchmark.tasks.layout import read_task
from tests.benchmark.datasets.originals import sound, tar_gz
from tests.file_server import FileServer, serving

NAME = "esc50-v2.0.0-full"
METADATA: dict[str, Any] = {
    "task_name": "esc50",
    "version": "v2.0.0",
    "embedding_type": "scene",
    "prediction_type": "multiclass",
    "split_mode": "presplit_kfold",
    "sample_duration": 0.05,
    "evaluation": ["top1_acc"],
    "splits": ["fold00", "fold01"],
}


def task_files(rate: int = 48000, root: str = "tasks") -> dict[str, bytes]:
    """A task as HEAR packs it."""
    home = f"{root}/{NAME}"
    files = {
        f"{home}/task_metadata.json": json.dumps(METADATA, indent=1).encode(),
        f"{home}/labelvocabulary.csv": b"idx,label\n0,dog\n1,rain\n",
    }
    for split in METADATA["splits"]:
        names = [f"{split}-{number}.wav" for number in range(2)]
        files[f"{home}/{split}.json"] = json.dumps({name: ["dog"] for name in names}).encode()
        files[f"{home}/labelcount_{split}.json"] = b"{}"
        files |= {f"{home}/{rate}/{split}/{name}": sound(rate) for name in names}
    return files


@pytest.fixture
def zenodo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Zenodo's record and the archive that it lists."""
    monkeypatch.delenv(HEAR_VARIABLE, raising=False)
    with serving() as server:
        publish(server, tar_gz(tmp_path / "published.tar.gz", task_files()).read_bytes())
        monkeypatch.setattr(module, "RECORD_URL", f"{server.url}/record")
        yield server


def publish(server: FileServer, content: bytes) -> None:
    file = f"hear2021-{NAME}-48000.tar.gz"
    entry = {
        "key": file,
        "size": len(content),
        "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
        "links": {"self": f"{server.url}/files/{file}/content"},
    }
    server.files["/record"] = json.dumps({"id": 6332517, "files": [entry]}).encode()
    server.files[f"/files/{file}/content"] = content


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_task_is_fetched_and_made_fit_to_run(zenodo: FileServer, tmp_path: Path) -> None:
    tasks = tmp_path / "work" / "tasks"
    folder = prepare_hear(NAME, tasks, tmp_path / "downloads")
    assert folder == tasks / NAME and is_complete(folder)
    # heareval takes each entry for a task.
    assert [path.name for path in tasks.iterdir()] == [NAME]
    assert [path.name for path in tasks.parent.iterdir()] == ["tasks"]
    found = bytes_of(folder)
    published = {name.partition(f"{NAME}/")[2]: content for name, content in task_files().items()}
    assert found["task_metadata.published.json"] == published.pop("task_metadata.json")
    assert {name: found[name] for name in published} == published
    told = json.loads(found["task_metadata.json"])
    assert {key: told[key] for key in METADATA} == METADATA
    prepared = read_task(folder)
    assert (prepared.name, prepared.title, prepared.domain) == (NAME, "ESC-50 (HEAR)", "nonspeech")
    samples, rate = soundfile.read(folder / "16000" / "fold01" / "fold01-1.wav")
    times = np.arange(800) / 16000
    assert rate == 16000 and samples.shape == (800,)
    assert np.abs(samples - 0.5 * np.sin(2 * np.pi * 440 * times))[100:-100].max() < 1e-3


def test_a_task_that_is_there_is_not_fetched_again(zenodo: FileServer, tmp_path: Path) -> None:
    folder = prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")
    before, asked = bytes_of(folder), len(zenodo.asked)
    prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")
    assert len(zenodo.asked) == asked
    (folder / "16000" / "fold00" / "fold00-0.wav").unlink()
    assert not is_complete(folder)
    prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")
    assert bytes_of(folder) == before


def test_the_archive_is_compared_with_what_zenodo_says(zenodo: FileServer, tmp_path: Path) -> None:
    place = next(name for name in zenodo.files if name != "/record")
    zenodo.files[place] = zenodo.files[place][:-1] + b"?"
    with pytest.raises(ValueError, match="expected md5 [0-9a-f]+ as Zenodo's record states"):
        prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")
    assert not (tmp_path / "tasks").exists()


@pytest.mark.parametrize("record", [b"<html>", b"[]", b"{}", b'{"files": [{}]}', b'{"files": []}'])
def test_a_record_that_cannot_be_understood(zenodo: FileServer, tmp_path: Path, record: bytes) -> None:
    zenodo.files["/record"] = record
    with pytest.raises(
        ValueError, match="/record: expected (the record's list|hear2021-.* in its list, found no files)"
    ):
        prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")


def test_no_zenodo_is_one_error_that_says_what_else_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HEAR_VARIABLE, raising=False)
    with serving() as gone:
        monkeypatch.setattr(module, "RECORD_URL", f"{gone.url}/record")
    with pytest.raises(ValueError, match=HEAR_VARIABLE):
        prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")


@pytest.mark.parametrize("pattern", ["{url}/mirror", "{url}/mirror/", "{url}/mirror/hear2021-{{task}}-48000.tar.gz"])
def test_a_mirror(zenodo: FileServer, tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = f"hear2021-{NAME}-48000.tar.gz"
    zenodo.files[f"/mirror/{file}"] = zenodo.files[f"/files/{file}/content"]
    monkeypatch.setenv(HEAR_VARIABLE, pattern.format(url=zenodo.url))
    assert is_complete(prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads"))
    assert [path for path, _ in zenodo.asked] == [f"/mirror/{file}"]


def test_addresses_that_end_in_the_same_for_every_task_are_kept_apart(zenodo: FileServer, tmp_path: Path) -> None:
    zenodo.files[f"/{NAME}/48000.tar.gz"] = zenodo.files[f"/files/hear2021-{NAME}-48000.tar.gz/content"]
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "48000.tar.gz").write_bytes(b"another task's")
    origin = f"{zenodo.url}/{{task}}/48000.tar.gz"
    assert is_complete(prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads", origin=origin))


def test_a_folder_of_archives_at_16_khz(tmp_path: Path) -> None:
    """As HEAR's own preprocessing packs them; audio at this rate is taken as it is."""
    files = task_files(16000, "hear-2021.0.6/tasks")
    (tmp_path / "archives").mkdir()
    tar_gz(tmp_path / "archives" / f"hear-2021.0.6-{NAME}-16000.tar.gz", files)
    folder = prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads", origin=str(tmp_path / "archives"))
    assert (folder / "16000" / "fold00" / "fold00-0.wav").read_bytes() == sound(16000)
    with pytest.raises(FileNotFoundError, match="hear2021-fsd50k-v1.0-full-16000.tar.gz or"):
        prepare_hear("fsd50k-v1.0-full", tmp_path / "tasks", tmp_path, origin=str(tmp_path / "archives"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"48000/fold01/fold01-1.wav": None}, "lacks 1 of 4 files"),
        ({"48000/fold01/fold01-1.wav": b"no sound"}, "could not be decoded"),
        ({"48000/fold01/fold01-1.wav": sound(44100)}, "expected 48000 Hz, found 44100"),
        ({"fold01.json": None}, r"fold01\.json: expected a file of one of"),
        ({"fold01.json": b'{"../../a.wav": ["dog"]}'}, "expected file names"),
        ({"fold01.json": b"[]"}, "expected labels by file"),
        ({"labelvocabulary.csv": None}, "expected labelvocabulary.csv"),
        ({"task_metadata.json": b"{}"}, "expected splits"),
        ({"task_metadata.json": b"[]"}, "expected a JSON object"),
        ({"../../../a": b"out"}, "refused the member"),
    ],
)
def test_an_archive_that_is_not_whole_or_not_honest(
    zenodo: FileServer, tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    files = task_files()
    for name, content in change.items():
        if content is None:
            del files[f"tasks/{NAME}/{name}"]
        else:
            files[f"tasks/{NAME}/{name}"] = content
    publish(zenodo, tar_gz(tmp_path / "a.tar.gz", files).read_bytes())
    with pytest.raises(ValueError, match=message):
        prepare_hear(NAME, tmp_path / "work" / "tasks", tmp_path / "downloads")
    assert list((tmp_path / "work" / "tasks").iterdir()) == []
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["tasks"]


def test_another_task_s_archive(zenodo: FileServer, tmp_path: Path) -> None:
    files = {name.replace(NAME, "another"): content for name, content in task_files().items()}
    publish(zenodo, tar_gz(tmp_path / "a.tar.gz", files).read_bytes())
    with pytest.raises(ValueError, match="holds none of the files"):
        prepare_hear(NAME, tmp_path / "tasks", tmp_path / "downloads")


def test_an_unknown_task(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one of HEAR's tasks, speech_commands-v0.0.2-5h, .*got 'esc50'"):
        prepare_hear("esc50", tmp_path, tmp_path)


def test_every_column_of_the_leaderboard_has_its_task() -> None:
    columns = next(csv.reader(io.StringIO(LEADERBOARD)))
    assert {task.column for task in HEAR_TASKS.values()} == set(columns)
    assert len({task.title for task in HEAR_TASKS.values()}) == len(HEAR_TASKS)


#: The header of hearbenchmark.com's table.
LEADERBOARD = (
    "Beehive,Beijing Opera,CREMA-D,DCASE 2016,ESC-50,FSD50K,GTZAN Genre,GTZAN Music/Speech,Gunshot,Libricount,"
    "Maestro 5h,Mridangam Stroke,Mridangam Tonic,NSynth Pitch 50h,NSynth Pitch 5h,Speech commands 5h,"
    "Speech commands full,Vocal Imitation,VoxLingua107 top 10"
)
