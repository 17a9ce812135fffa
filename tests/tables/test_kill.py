"""A process that is killed at any moment loses one group; the next one continues, and no row is lost or doubled."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from byola_hear.extraction.clips import Clip
from byola_hear.tables import open_store, read_table
from tests import forked
from tests.tables.extraction import SIZE, events, files_in, request

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

#: A clip's rows and blocks.
N_ROWS, N_BLOCKS = 40, 4


def whole_run(
    output: str, clips: list[Clip], pause: float = 0.0, update: bool = False, group: int = 1000, last: int = -1
) -> None:
    """What the killed process does: a whole run, ``group`` rows in a group. It ends itself before event ``last``."""
    megabytes = group * 4 * SIZE / 1e6
    with open_store(output, request("timestamp"), clips, group_megabytes=megabytes, update=update) as store:
        wanted = [clip for clip in clips if clip not in store.done]
        for number, event in enumerate(events(wanted, "timestamp", N_ROWS, N_BLOCKS)):
            if number == last:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(pause)
            store.add(event)
        store.finish()


def killed_run(count: int, output: str, clips: list[Clip], update: bool) -> None:
    """The same, killed right before or after the ``count``-th time that a file or folder takes another name."""
    calls = 0

    def counted(call: Callable[..., None], *arguments: object) -> None:
        nonlocal calls
        if all("/new/" in str(path) for path in arguments):
            return call(*arguments)  # by zarr, within the table that is not in place yet
        for moment in range(2):
            if calls == count:
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
            if not moment:
                call(*arguments)

    os.replace = functools.partial(counted, os.replace)
    whole_run(output, clips, update=update)


def content(output: str) -> tuple[list[tuple], bytes]:
    """A table's index and numbers."""
    table = read_table(output)
    return table.index.tolist(), table.to_numpy().tobytes()


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    (tmp_path / "audio").mkdir()
    names = [f"{index}.wav" for index in range(14)]
    names[5] = "broken.wav"
    return files_in(tmp_path / "audio", names)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))])
def test_killed_again_and_again(tmp_path: Path, clips: list[Clip], seed: int) -> None:
    output, undisturbed = tmp_path / "t.npz", tmp_path / "undisturbed.npz"
    whole_run(str(undisturbed), clips)
    began = time.perf_counter()
    assert forked.wait(forked.start(whole_run, str(tmp_path / "timed.npz"), clips, 0.001, False, 25)) == 0
    seconds = time.perf_counter() - began
    rng = random.Random(seed)
    n_killed = 0
    while True:
        # On a busy machine, the first kill may come when the run would be complete; so it ends itself before.
        pid = forked.start(whole_run, str(output), clips, 0.001, False, 25, len(clips) if n_killed == 0 else -1)
        time.sleep(seconds * (rng.uniform(0.05, 0.6) + 0.1 * n_killed))
        os.kill(pid, signal.SIGKILL)
        code = forked.wait(pid)
        if code == 0 or (output.exists() and not output.with_name("t.npz.parts").exists()):
            break
        assert code == -signal.SIGKILL
        n_killed += 1
        assert n_killed < 100
    assert n_killed > 0
    assert output.read_bytes() == undisturbed.read_bytes()
    errors = (tmp_path / "t.npz.errors.csv").read_bytes()
    assert errors == (tmp_path / "undisturbed.npz.errors.csv").read_bytes()
    # A process that is killed while it removes its work folder leaves it to the next one.
    left = {entry.name for entry in tmp_path.iterdir() if entry.name.startswith("t.")}
    assert left <= {"t.npz", "t.npz.errors.csv", "t.npz.parts.done"}


@pytest.mark.parametrize(
    ("name", "update"),
    [
        ("t.npz", False),
        ("t.parquet", True),
        pytest.param("folder/", False, marks=pytest.mark.slow),
        ("folder/", True),
        pytest.param("t.zarr", True, marks=pytest.mark.slow),
    ],
)
def test_killed_at_every_rename(tmp_path: Path, clips: list[Clip], name: str, update: bool) -> None:
    clips = clips[3:6]
    reference = f"{tmp_path}/reference-{name}"
    whole_run(reference, clips)
    expected, before = content(reference), tmp_path / name
    whole_run(f"{before}/" if name.endswith("/") else str(before), clips[:1])
    # zarr is slow, and everything before the table is put together is the same for all formats.
    count = 5 if name == "t.zarr" else 0
    while True:
        folder = tmp_path / str(count)
        folder.mkdir()
        output = f"{folder}/{name}"
        if update:
            (shutil.copytree if before.is_dir() else shutil.copy)(before, output)
        code = forked.wait(forked.start(killed_run, count, output, clips, update))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        complete = Path(output).exists() and not list(folder.glob("*.parts"))
        if not complete:
            whole_run(output, clips, update=update)
        assert content(output) == expected, f"killed at {count}"
        left = {entry.name for entry in folder.iterdir()}
        table = name.rstrip("/")
        assert left <= {table, f"{table}.errors.csv", f"{table}.parts.done"}
        count += 1
    assert count > 10
