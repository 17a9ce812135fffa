"""The store: what is kept, what is done again, what is refused."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.tables import Finished, TableError, TableRefused, open_store, read_table
from byola_hear.tables.failures import write_failures
from byola_hear.utils.files import stamp_of
from tests import forked
from tests.tables.extraction import SIZE, events, files_in, request, rows_of

UPDATABLE = ["t.parquet", "t.npz", "t.h5", "t.zarr", "folder/"]


class Killed(BaseException):
    """Breaks off a run."""


def run(
    output: str | Path,
    clips: Iterable[Clip],
    asked: Request | None = None,
    *,
    n_rows: int = 1,
    stop_after: int | None = None,
    **options: object,
) -> tuple[Finished | None, list[Clip]]:
    """A run as the command line does it; broken off after so many events if that is said.

    Returns:
        What came of it, and the clips that were embedded.
    """
    clips, asked = list(clips), asked or request()
    with contextlib.suppress(Killed), open_store(output, asked, clips, **options) as store:  # type: ignore[arg-type]
        todo = [clip for clip in clips if clip not in store.done]
        for index, event in enumerate(events(todo, asked.kind, n_rows, n_blocks=min(n_rows, 4))):
            if index == stop_after:
                raise Killed
            store.add(event)
        return store.finish(), todo
    return None, todo


def content(output: str | Path) -> list[tuple]:
    """A table's rows: index, then numbers."""
    table = read_table(output)
    return [(*index, *row) for index, row in zip(table.index, table.to_numpy().tolist())]


def expected(clips: Iterable[Clip], kind: str = "scene", n_rows: int = 1) -> list[tuple]:
    rows = []
    for clip in clips:
        for block in rows_of(clip, kind, n_rows):
            numbers = [block.start, block.end, *([] if block.time is None else [block.time])]
            pairs = zip(*(values.tolist() for values in numbers), strict=True)
            rows += [(clip.file, *pair, *row) for pair, row in zip(pairs, block.embeddings.tolist())]
    return rows


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Twelve files that are there."""
    (tmp_path / "audio").mkdir()
    return files_in(tmp_path / "audio", [f"{index}.wav" for index in range(12)])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "t.npz"


#: Groups of three rows.
SMALL: dict[str, Any] = {"group_megabytes": 3 * 4 * SIZE / 1e6}


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3, 7, 8, 11, 23])
def test_an_interrupted_run_is_continued(out: Path, clips: list[Clip], stop_after: int) -> None:
    assert run(out, clips, stop_after=stop_after, **SMALL)[0] is None
    assert not out.exists()
    finished, todo = run(out, clips, **SMALL)
    assert todo == clips[stop_after // 2 :]
    assert finished == Finished(out, None, 12, 12, pytest.approx(12 * 0.04), 0)  # type: ignore[arg-type]
    assert content(out) == expected(clips)
    assert sorted(entry.name for entry in out.parent.iterdir()) == ["audio", "t.npz"]


def test_a_run_without_results_leaves_nothing(out: Path, clips: list[Clip]) -> None:
    run(out, clips, stop_after=0)
    run(out, clips, stop_after=1)
    assert [entry.name for entry in out.parent.iterdir()] == ["audio"]


def test_a_long_clip_is_never_in_memory_as_a_whole(out: Path, clips: list[Clip]) -> None:
    with open_store(out, request("timestamp"), clips[:2], **SMALL) as store:
        blocks = rows_of(clips[0], "timestamp", 100, 7)
        for block in blocks:
            store.add(block)
        parts = sorted(store.work.glob("*.part"))
        # Three rows to a part, and nothing but the last one or two waits in memory.
        assert len(parts) == 33
        assert max(part.stat().st_size for part in parts) < 3 * (4 * SIZE + 24) + 300
        store.add(Done(clips[0], 4.0, stamp_of(clips[0].file)))
        for event in events(clips[1:2], "timestamp", 4):
            store.add(event)
        store.finish()
    assert content(out) == expected(clips[:1], "timestamp", 100) + expected(clips[1:2], "timestamp", 4)


def test_a_clip_that_was_interrupted_leaves_nothing(out: Path, clips: list[Clip]) -> None:
    asked = request("timestamp")
    # Clips of 40 rows in 4 blocks and a verdict: the third is cut off after its third block.
    run(out, clips[:4], asked, n_rows=40, stop_after=13, **SMALL)
    work = out.with_name("t.npz.parts")
    n_parts = len(list(work.glob("*.part")))
    with open_store(out, asked, clips[:4], **SMALL) as store:
        assert store.done == set(clips[:2])
        # The parts that held only its rows are gone, a long clip's may be gigabytes.
        assert len(list(work.glob("*.part"))) < n_parts - 8
    finished, todo = run(out, clips[:4], asked, n_rows=40, **SMALL)
    assert todo == clips[2:4]
    assert content(out) == expected(clips[:4], "timestamp", 40)
    assert finished is not None and finished.n_rows == 160


def test_a_clip_that_failed_late_leaves_no_parts(out: Path, clips: list[Clip]) -> None:
    asked = request("timestamp")
    with contextlib.suppress(Killed), open_store(out, asked, clips[:2], **SMALL) as store:
        for block in rows_of(clips[0], "timestamp", 60, 4):
            store.add(block)
        store.add(Failed(clips[0], "cut off"))
        raise Killed
    assert len(list(store.work.glob("*.part"))) == 21
    with open_store(out, asked, clips[:2], **SMALL) as store:
        assert store.done == frozenset()
        assert len(list(store.work.glob("*.part"))) == 1


def test_the_order_is_that_of_the_clips_whatever_that_of_the_events(out: Path, clips: list[Clip]) -> None:
    asked = request("timestamp")
    streams = [events([clip], "timestamp", 9, 3) for clip in clips]
    rng = np.random.default_rng(0)
    with open_store(out, asked, clips, **SMALL) as store:
        while streams:
            index = int(rng.integers(len(streams)))
            event = next(streams[index], None)
            if event is None:
                streams.pop(index)
            else:
                store.add(event)
        store.finish()
    assert content(out) == expected(clips, "timestamp", 9)


def test_a_list_that_has_changed(out: Path, clips: list[Clip]) -> None:
    run(out, clips[:8], stop_after=12, **SMALL)
    other = [clips[11], clips[2], Clip(clips[2].file, 0.5, 1.0), clips[0], clips[9], clips[0]]
    _, todo = run(out, other, **SMALL)
    assert todo == [clips[11], Clip(clips[2].file, 0.5, 1.0), clips[9]]
    assert content(out) == expected(other[:5])


def test_a_file_that_has_changed(out: Path, clips: list[Clip]) -> None:
    run(out, clips, stop_after=12, **SMALL)
    Path(clips[1].file).write_bytes(b"something longer")
    status = os.stat(clips[3].file)
    os.utime(clips[3].file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    Path(clips[4].file).unlink()
    _, todo = run(out, clips, **SMALL)
    assert todo == [clips[1], clips[3], clips[4], *clips[6:]]
    assert content(out) == expected(clips)


def test_failed_clips_have_no_rows_and_are_tried_again(out: Path, tmp_path: Path) -> None:
    clips = files_in(tmp_path, ["a.wav", 'broken "1".wav', "b.wav", "broken\n2.wav"])
    clips.append(Clip(clips[1].file, 1.0, 2.0))
    run(out, clips, request("timestamp"), n_rows=8, stop_after=11, **SMALL)
    finished, todo = run(out, clips, request("timestamp"), n_rows=8, **SMALL)
    assert todo == clips[1:]
    assert finished is not None and (finished.n_clips, finished.n_failed, finished.n_rows) == (2, 3, 16)
    assert content(out) == expected([clips[0], clips[2]], "timestamp", 8)
    errors = tmp_path / "t.npz.errors.csv"
    assert finished.errors == errors
    lines = list(csv.reader(errors.open(newline="")))
    assert lines == [
        ["file", "start", "end", "error"],
        [clips[1].file, "0.0", "", f"{clips[1].file} is no sound"],
        [clips[3].file, "0.0", "", f"{clips[3].file} is no sound"],
        [clips[1].file, "1.0", "2.0", f"{clips[1].file} is no sound"],
    ]
    run(out, [clips[0]], overwrite=True)
    assert not errors.exists()


def test_a_clip_that_failed_and_then_succeeds(out: Path, clips: list[Clip]) -> None:
    with contextlib.suppress(Killed), open_store(out, request(), clips[:2]) as store:
        store.add(Failed(clips[0], "the disk was away"))
        raise Killed
    finished, todo = run(out, clips[:2])
    assert todo == clips[:2]
    assert finished is not None and finished.errors is None
    assert content(out) == expected(clips[:2])


def test_nothing_succeeded(out: Path, clips: list[Clip]) -> None:
    out.write_bytes(b"before")
    with open_store(out, request(), clips[:1], overwrite=True) as store:
        store.add(Failed(clips[0], "no sound"))
        finished = store.finish()
    assert finished.output is None and finished.n_failed == 1
    assert finished.errors is not None and "no sound" in finished.errors.read_text()
    assert out.read_bytes() == b"before"
    assert not out.with_name("t.npz.parts").exists()


def test_each_table_has_its_own_table_of_errors(tmp_path: Path) -> None:
    broken, good = files_in(tmp_path, ["broken.wav", "a.wav"])
    for name in ("t.csv", "t.npz", "v.1/", "v.2/"):
        run(f"{tmp_path / name}/" if name.endswith("/") else tmp_path / name, [broken, good])
    # A success elsewhere removes none of them.
    run(tmp_path / "t.parquet", [good])
    run(f"{tmp_path / 'v.3'}/", [good])
    names = ["t.csv.errors.csv", "t.npz.errors.csv", "v.1.errors.csv", "v.2.errors.csv"]
    assert sorted(path.name for path in tmp_path.glob("*.errors.csv")) == names


def test_an_update_keeps_the_errors_of_clips_that_it_was_not_asked_for(out: Path, tmp_path: Path) -> None:
    broken, other, good = files_in(tmp_path, ['broken "1"\n.wav', "broken2.wav", "a.wav"])
    segment = Clip(broken.file, 0.5, 1.25)
    run(out, [broken, segment, good])
    finished, _ = run(out, [other, segment], update=True)
    assert finished is not None and finished.errors is not None and finished.n_failed == 2
    lines = list(csv.reader(finished.errors.open(newline="")))
    assert [line[:3] for line in lines[1:]] == [
        [broken.file, "0.0", ""],
        [other.file, "0.0", ""],
        [broken.file, "0.5", "1.25"],
    ]
    assert {line[3].rpartition(" is ")[2] for line in lines[1:]} == {"no sound"}
    finished, _ = run(out, [good], update=True)
    errors = out.with_name("t.npz.errors.csv")
    assert finished is not None and (finished.errors, finished.n_failed) == (errors, 0)
    assert list(csv.reader(errors.open(newline=""))) == lines
    errors.write_text("file,start,end,error\nsomething,else\n")
    with pytest.raises(TableRefused, match=r"t\.npz\.errors\.csv, line 2: expected file, start, end and error"):
        run(out, [good], update=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_file_in_the_place_of_the_errors_stays(out: Path, clips: list[Clip], overwrite: bool) -> None:
    other = out.with_name("t.npz.errors.csv")
    other.write_text("mine\n")
    with pytest.raises(TableRefused, match=r"t\.npz\.errors\.csv exists and is no table of errors"):
        run(out, clips, overwrite=overwrite)
    assert other.read_text() == "mine\n" and not out.exists()


@pytest.mark.skipif(os.name != "posix", reason="lengths of names are the system's")
def test_a_name_that_is_too_long_for_what_lies_next_to_it_is_refused_at_once(tmp_path: Path, clips: list[Clip]) -> None:
    # A name may have 255 bytes, and that of the table of errors has 11 more.
    broken, good = files_in(tmp_path, ["broken.wav", "a.wav"])
    finished, _ = run(tmp_path / f"{'a' * 240}.npz", [broken, good])
    assert finished is not None and finished.errors is not None and finished.errors.exists()
    before = sorted(tmp_path.iterdir())
    for length in (241, 246, 251):
        with pytest.raises(TableRefused, match="npz can't be written: File name too long"):
            run(tmp_path / f"{'b' * length}.npz", clips)
    assert sorted(tmp_path.iterdir()) == before


def test_a_disk_that_is_full_when_the_errors_are_written(tmp_path: Path, monkeypatch: Any) -> None:
    (broken,) = files_in(tmp_path, ["broken.wav"])
    errors = tmp_path / "t.errors.csv"

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*t\.errors\.csv'"):
        write_failures(errors, [(broken, "no sound")])
    assert list(tmp_path.iterdir()) == [Path(broken.file)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"fingerprint": "cd" * 32}, "fingerprint abababababab…, not cdcdcdcdcdcd…"),
        ({"window": 2.0}, "window none, not 2.0"),
        ({"hop": 0.5}, "hop none, not 0.5"),
        ({"size": 7, "model": "speech 1"}, "model both 0.1.0, not speech 1, size 5, not 7"),
        ({"kind": "timestamp"}, "kind scene, not timestamp"),
    ],
)
def test_another_request_is_refused(out: Path, clips: list[Clip], change: dict, named: str) -> None:
    run(out, clips, stop_after=12, **SMALL)
    changed = request(**{"kind": "scene", **change})
    with pytest.raises(TableRefused, match=named):
        open_store(out, changed, clips)
    with open_store(out, changed, clips, overwrite=True) as store:
        assert store.done == frozenset()


def test_overwrite_continues_the_same_request(out: Path, clips: list[Clip]) -> None:
    out.write_bytes(b"before")
    run(out, clips, stop_after=12, overwrite=True)
    assert out.read_bytes() == b"before"
    _, todo = run(out, clips, overwrite=True)
    assert todo == clips[6:]
    assert content(out) == expected(clips)


def test_an_existing_output_is_refused(out: Path, clips: list[Clip]) -> None:
    run(out, clips)
    with pytest.raises(
        TableRefused, match=r"t\.npz exists; overwrite it \(--overwrite\), or add the clips that it lacks \(--update\)$"
    ):
        open_store(out, request(), clips)
    assert [entry.name for entry in out.parent.iterdir() if entry.name != "audio"] == ["t.npz"]
    with pytest.raises(ValueError, match="overwrite or update"):
        open_store(out, request(), clips, overwrite=True, update=True)


def test_two_processes_at_one_table(out: Path, clips: list[Clip]) -> None:
    pytest.importorskip("fcntl")
    with open_store(out, request(), clips) as store:
        with pytest.raises(TableRefused, match="another process is writing this table"):
            open_store(out, request(), clips, overwrite=True)
        for event in events(clips):
            store.add(event)
        store.finish()
        # It is free as soon as it is complete.
        open_store(out, request(), clips, overwrite=True).close()


def test_a_work_folder_that_is_something_else(out: Path, clips: list[Clip]) -> None:
    work = out.with_name("t.npz.parts")
    work.mkdir()
    (work / "thesis.tex").write_text("mine")
    with pytest.raises(TableRefused, match=r"something else: thesis\.tex"):
        open_store(out, request(), clips, overwrite=True)
    assert (work / "thesis.tex").read_text() == "mine"


def test_a_damaged_part_is_named(out: Path, clips: list[Clip]) -> None:
    run(out, clips, stop_after=20, **SMALL)
    part = out.with_name("t.npz.parts") / "000001.part"
    part.write_bytes(part.read_bytes()[:-3])
    with pytest.raises(TableError, match=r"000001\.part is damaged .*remove it"):
        open_store(out, request(), clips)
    part.unlink()
    assert run(out, clips)[1] != []
    assert content(out) == expected(clips)


@pytest.mark.parametrize("output", UPDATABLE)
def test_update(tmp_path: Path, output: str, clips: list[Clip]) -> None:
    path = f"{tmp_path}/{output}"
    broken = files_in(tmp_path, ["broken.wav"])
    run(path, [*clips[:4], *broken])
    Path(clips[0].file).write_bytes(b"changed since")
    Path(broken[0].file).rename(tmp_path / "whole.wav")
    finished, todo = run(path, [*clips[:6], Clip(f"{tmp_path}/whole.wav")], update=True, stop_after=3)
    assert content(path) == expected(clips[:4])
    finished, todo = run(path, [*clips[:6], Clip(f"{tmp_path}/whole.wav")], update=True)
    assert todo == [clips[4], clips[5], Clip(f"{tmp_path}/whole.wav")]
    assert finished is not None and finished.n_clips == 7 and finished.errors is None
    # What was there comes first, then what is new, in the order asked for.
    assert content(path) == expected([*clips[1:4], clips[0], *clips[4:6], Clip(f"{tmp_path}/whole.wav")])
    _, todo = run(path, clips, update=True)
    assert todo == clips[6:]
    assert len(content(path)) == 13


@pytest.mark.skipif(os.name != "posix", reason="only POSIX flushes folders")
def test_folders_that_the_file_system_does_not_flush(out: Path, clips: list[Clip], monkeypatch: Any) -> None:
    flush = os.fsync

    def files_alone(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", files_alone)
    finished, _ = run(out, clips)
    assert finished is not None and finished.n_clips == len(clips)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_replaced_table_keeps_its_permissions(out: Path, clips: list[Clip]) -> None:
    run(out, clips[:2])
    out.chmod(0o640)
    run(out, clips, update=True)
    assert out.stat().st_mode & 0o777 == 0o640
    run(out, clips[:2], overwrite=True)
    assert out.stat().st_mode & 0o777 == 0o640


def test_an_update_that_would_leave_no_row_leaves_the_table_alone(out: Path, clips: list[Clip]) -> None:
    run(out, clips[:1])
    Path(clips[0].file).write_bytes(b"changed since")
    with open_store(out, request(), clips[:1], update=True) as store:
        store.add(Failed(clips[0], "no sound"))
        assert store.finish().output is None
    assert content(out) == expected(clips[:1])
    assert run(out, clips[:1], update=True)[1] == clips[:1]


def test_a_file_that_changed_while_it_was_embedded_is_embedded_again(out: Path, clips: list[Clip]) -> None:
    embedded = list(events(clips[:2]))
    Path(clips[0].file).write_bytes(b"changed meanwhile")
    with open_store(out, request(), clips[:2]) as store:
        for event in embedded:
            store.add(event)
        store.finish()
    assert run(out, clips[:2], update=True)[1] == clips[:1]


@pytest.mark.parametrize("output", UPDATABLE)
def test_update_with_nothing_new_leaves_the_table_alone(tmp_path: Path, output: str, clips: list[Clip]) -> None:
    path = f"{tmp_path}/{output}"
    run(path, clips)
    table = Path(path) / "index.csv" if output.endswith("/") else Path(path)
    before = table.stat()
    finished, todo = run(path, clips[:3], update=True)
    assert todo == [] and finished is not None and finished.n_rows == 12
    assert (table.stat().st_ino, table.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_update_of_what_cannot_be_updated(tmp_path: Path, clips: list[Clip]) -> None:
    run(tmp_path / "t.csv", clips[:2])
    with pytest.raises(TableRefused, match=r"t\.csv does not contain .*\.parquet \.npz \.h5"):
        open_store(tmp_path / "t.csv", request(), clips, update=True)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableRefused, match="does not contain the settings that it was made with"):
        open_store(tmp_path / "t.parquet", request(), clips, update=True)
    run(tmp_path / "t.npz", clips[:2])
    with pytest.raises(TableRefused, match=r"t\.npz was made with window none, not 1\.0"):
        open_store(tmp_path / "t.npz", request(window=1.0), clips, update=True)
    assert not list(tmp_path.glob("*.parts"))
    (tmp_path / "t.npz").write_bytes((tmp_path / "t.npz").read_bytes()[:300])
    with pytest.raises(TableError, match=r"t\.npz can't be read"):
        open_store(tmp_path / "t.npz", request(), clips, update=True)
    # There is nothing yet: update is a run like any other, unless it is one that could not be done again.
    run(tmp_path / "new.npz", clips[:2], update=True)
    assert content(tmp_path / "new.npz") == expected(clips[:2])
    with pytest.raises(TableRefused, match=r"new\.csv would not contain .*\.parquet \.npz \.h5"):
        open_store(tmp_path / "new.csv", request(), clips, update=True)


def test_a_table_that_was_changed_is_not_updated(tmp_path: Path, clips: list[Clip]) -> None:
    run(f"{tmp_path}/folder/", clips[:3])
    index = tmp_path / "folder" / "index.csv"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(TableError, match="was changed after it was written"):
        run(f"{tmp_path}/folder/", clips, update=True)
    assert read_table(tmp_path / "folder").shape == (2, SIZE)


def test_a_table_whose_rows_were_sorted_is_not_updated(tmp_path: Path, clips: list[Clip]) -> None:
    run(f"{tmp_path}/folder/", clips)
    index = tmp_path / "folder" / "index.csv"
    header, *lines = index.read_text().splitlines(keepends=True)
    index.write_text("".join([header, *reversed(lines)]))
    Path(clips[0].file).write_bytes(b"other")
    before = content(tmp_path / "folder")
    with pytest.raises(TableError, match="was changed after it was written"):
        run(f"{tmp_path}/folder/", clips, update=True)
    assert content(tmp_path / "folder") == before


def test_events_that_do_not_fit(out: Path, clips: list[Clip]) -> None:
    right = rows_of(clips[0])[0]
    bad: list[tuple[Event, str]] = [
        (Done(Clip("other"), 1.0, None), "asked for"),
        (Rows(clips[0], right.start, right.end, right.start, right.embeddings), "scene rows have no time"),
        (Rows(clips[0], right.start, right.end, None, right.embeddings[:, :3]), r"\(n_rows, 5\), got float32 \(1, 3\)"),
        (Rows(clips[0], right.start, right.end, None, right.embeddings.astype("f8")), "float32"),
        (Rows(clips[0], right.start[:0], right.end, None, right.embeddings), r"start of shape \(1,\), got \(0,\)"),
    ]
    with open_store(out, request(), clips) as store:
        for event, message in bad:
            with pytest.raises(ValueError, match=message):
                store.add(event)
        with pytest.raises(ValueError, match="12 clips neither succeeded nor failed"):
            store.finish()


def test_groups_are_written_in_time(out: Path, clips: list[Clip]) -> None:
    with open_store(out, request(), clips, group_seconds=0) as store:
        for event in events(clips[:2]):
            store.add(event)
        assert len(list(store.work.glob("*.part"))) == 4


def test_the_first_result_is_written_at_once(out: Path, clips: list[Clip]) -> None:
    with open_store(out, request(), clips) as store:
        stream = events(clips)
        n_parts = 0
        for event in stream:
            store.add(event)
            n_parts = len(list(store.work.glob("*.part")))
            if n_parts or not isinstance(event, Rows):
                break
        assert n_parts == 1 and isinstance(event, Done)
        for event in stream:
            store.add(event)
        # The others wait for company, or half a second.
        assert len(list(store.work.glob("*.part"))) <= 2


def test_a_folder_that_cannot_be_written(tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(TableError, match=r"t\.npz can't be written: Permission denied"):
        open_store(tmp_path / "t.npz", request(), clips)


def test_a_full_disk(out: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with open_store(out, request(), clips, **SMALL) as store:
        stream = events(clips)
        for _ in range(12):
            store.add(next(stream))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(TableError, match=r"t\.npz can't be written: No space left .*; finished clips are kept"):
                for event in stream:
                    store.add(event)
    assert not list(out.parent.rglob("*.tmp"))
    _, todo = run(out, clips)
    assert 6 <= len(clips) - len(todo) + 3 <= 9
    assert content(out) == expected(clips)


@pytest.mark.parametrize("output", ["t.parquet", "t.csv", "t.npz", "t.h5", "t.zarr", "folder/"])
def test_a_disk_that_is_full_when_the_table_is_written(tmp_path: Path, output: str) -> None:
    """A limit on the size of files acts like a full disk if it is below the table's size and above a part's."""
    path = f"{tmp_path}/{output}"
    (tmp_path / "audio").mkdir()
    clips = files_in(tmp_path / "audio", [f"{index}.wav" for index in range(2)])

    def full() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        with open_store(path, request("timestamp"), clips, group_megabytes=0.005) as store:
            for event in events(clips, "timestamp", 4000, 10):
                store.add(event)
            with pytest.raises(TableError, match=rf"{output.rstrip('/')} can't be written.* clips are kept in"):
                store.finish()

    assert forked.wait(forked.start(full)) == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["audio", f"{output.rstrip('/')}.parts"]
    finished, todo = run(path, clips, request("timestamp"), n_rows=4000)
    assert todo == [] and finished is not None and finished.n_rows == 8000
    assert content(path) == expected(clips, "timestamp", 4000)


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """96 MB of rows pass through a process, which needs a part of that."""
    clip, size, n_rows, n_blocks = Clip("long" * 300), 2000, 1000, 12
    rows = np.random.default_rng(0).standard_normal((n_rows, size)).astype("f4")
    times: np.ndarray = np.arange(n_rows) * 0.04

    def grown() -> int:
        import resource

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with open_store(tmp_path / "t.npz", request("timestamp", size=size), [clip], group_megabytes=8) as store:
            for _ in range(n_blocks):
                store.add(Rows(clip, times, times, times, rows))
            store.add(Done(clip, 1.0, None))
            store.finish()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024

    megabytes = forked.wait(forked.start(grown))
    assert (tmp_path / "t.npz").stat().st_size > 96e6
    # Memory that the process had before may be used again, so that it may have grown by nothing.
    assert megabytes < 64
