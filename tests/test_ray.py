"""Extraction on a cluster: what travels, in which order it comes, and a cluster of two nodes that loses a worker.

The cluster takes half a minute and most of a machine, so it is started only where it is asked for: with Ray installed,
``BYOLA_HEAR_TEST_RAY=1 pytest tests/test_ray.py``.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import byola_hear
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.ray import ClusterError, extract_on_ray
from byola_hear.ray import extraction as module
from byola_hear.ray.events import in_order, packed
from byola_hear.ray.worker import Worker

CLIP_A, CLIP_B = Clip("a.wav"), Clip("b\udcff.wav", 1.0, 2.5)


def rows(clip: Clip, n_rows: int, with_time: bool = True) -> Rows:
    numbers = np.arange(n_rows, dtype=np.float64)
    embeddings = np.arange(n_rows * 3, dtype=np.float32).reshape(n_rows, 3)
    return Rows(clip, numbers, numbers + 1, numbers + 0.5 if with_time else None, embeddings)


EVENTS: list[tuple[int, int, Event]] = [
    (0, 0, rows(CLIP_A, 2)),
    (0, 1, rows(CLIP_A, 1)),
    (0, 2, Done(CLIP_A, 3.25, (1 << 40, 1_700_000_000_123_456_789))),
    (1, 0, rows(CLIP_B, 1, with_time=False)),
    (1, 1, Failed(CLIP_B, "broken: b\udcff.wav")),
    (2, 0, Done(CLIP_A, 0.0, None)),
]


def same(given: list[Event], expected: list[Event], tolerance: float = 0.0) -> None:
    assert [type(event) for event in given] == [type(event) for event in expected]
    for one, other in zip(given, expected, strict=True):
        assert one.clip == other.clip
        if not (isinstance(one, Rows) and isinstance(other, Rows)):
            assert one == other
            continue
        np.testing.assert_allclose(one.embeddings, other.embeddings, rtol=0, atol=tolerance)
        assert one.embeddings.dtype == np.float32
        np.testing.assert_array_equal(np.stack([one.start, one.end]), np.stack([other.start, other.end]))
        assert (one.time is None) == (other.time is None)
        if one.time is not None:
            np.testing.assert_array_equal(one.time, other.time)


def test_events_survive_the_journey() -> None:
    tables = [packed(event, index, position) for index, position, event in EVENTS]
    same(list(in_order([CLIP_A, CLIP_B, CLIP_A], tables, 3)), [event for _, _, event in EVENTS])


def test_an_event_that_arrives_twice_is_yielded_once() -> None:
    tables = [packed(event, index, position) for index, position, event in EVENTS]
    repeated = [*tables[:2], *tables[:3], tables[2], *tables[3:], *tables]
    same(list(in_order([CLIP_A, CLIP_B, CLIP_A], repeated, 3)), [event for _, _, event in EVENTS])


@pytest.mark.parametrize("lost", range(len(EVENTS)))
def test_a_lost_event_is_noticed(lost: int) -> None:
    tables = [packed(event, index, position) for index, position, event in EVENTS]
    with pytest.raises(ClusterError, match="has lost rows of"):
        list(in_order([CLIP_A, CLIP_B, CLIP_A], tables[:lost] + tables[lost + 1 :], 3))


@pytest.mark.parametrize("kind", ["scene", "timestamp"])
def test_a_worker_gives_the_same_events(clips_folder: Path, kind: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    model = byola_hear.load_model("speech")
    request = request_for(model, kind)
    clips = [
        Clip(str(clips_folder / "drum_stereo_44k.flac")),
        Clip(str(clips_folder / "nowhere.wav")),
        Clip(str(clips_folder / "speech_french_16k.wav"), 0.25, 1.0),
    ]
    worker = object.__new__(Worker)
    worker.model, worker.request, worker.threads = model, request, 1
    batch = pyarrow.table(
        {
            "index": [0, 1, 2],
            "file": [os.fsencode(clip.file) for clip in clips],
            "start": [0.0, 0.0, 0.25],
            "end": [float("nan"), float("nan"), 1.0],
        }
    )
    same(list(in_order(clips, worker(batch), request.size)), list(extract(clips, model, request)), 1e-5)


OF_A_CLIP: list[Event] = [rows(CLIP_A, 2), rows(CLIP_A, 1), Done(CLIP_A, 1.0, None)]


class Death(Exception):
    """What Ray raises when a worker or its node is gone."""


def stand_in(nodes: int = 2) -> SimpleNamespace:
    """As much of Ray as the loop over deaths sees."""
    exceptions = SimpleNamespace(RayError=Death, RayActorError=Death)
    data = SimpleNamespace(exceptions=SimpleNamespace(RayDataUserCodeException=KeyError))
    alive = {"Alive": True, "Resources": {"CPU": 1.0}}
    return SimpleNamespace(exceptions=exceptions, data=data, nodes=lambda: [alive] * nodes)


def dying(monkeypatch: pytest.MonkeyPatch, after: Iterator[int | None]) -> list[int]:
    """Replace the cluster by workers that die after so many events; returns the batch that each began with."""
    begun: list[int] = []

    def results(ray: Any, batches: list[Any], *_: Any) -> Iterator[Any]:
        begun.append(batches[0].to_pydict()["index"][0])
        lives = next(after)
        for batch in batches:
            for index in batch.to_pydict()["index"]:
                for position, event in enumerate(OF_A_CLIP):
                    if lives == 0:
                        raise Death
                    lives = None if lives is None else lives - 1
                    yield packed(event, index, position)

    monkeypatch.setattr(module, "_results", results)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    return begun


def test_deaths_cost_no_rows_and_double_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    clips = [CLIP_A] * 64  # batches of four
    begun = dying(monkeypatch, iter([14, 0, 0, 30, None]))
    request = SimpleNamespace(size=3)
    given = list(module._events(stand_in(), clips, None, request, None))  # type: ignore[arg-type]
    same(given, OF_A_CLIP * 64)
    assert begun == [0, 4, 4, 4, 12]  # whole batches, from the one with the first missing event on


def test_a_clip_that_kills_every_worker_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    begun = dying(monkeypatch, itertools.repeat(3))
    with pytest.raises(ClusterError, match="a worker died 4 times over the same clips"):
        list(module._events(stand_in(), [CLIP_A] * 64, None, SimpleNamespace(size=3), None))  # type: ignore[arg-type]
    assert begun == [0] * 4


def test_another_error_ends_the_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")

    def results(*_: Any) -> Iterator[Any]:
        raise KeyError("no such thing")
        yield

    monkeypatch.setattr(module, "_results", results)
    with pytest.raises(ClusterError, match="failed on the cluster: 'no such thing'"):
        list(module._events(stand_in(), [CLIP_A], None, SimpleNamespace(size=3), None))  # type: ignore[arg-type]


def test_nothing_to_do_needs_no_cluster() -> None:
    model = byola_hear.load_model("speech")
    assert list(extract_on_ray([], model, request_for(model), address="127.0.0.1:1")) == []
    with pytest.raises(ValueError, match="workers must be a positive integer, got 0"):
        list(extract_on_ray([CLIP_A], model, request_for(model), workers=0))


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    model = byola_hear.load_model("speech")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'byola-hear\[ray\]'"):
        list(extract_on_ray([CLIP_A], model, request_for(model)))


@pytest.mark.parametrize(
    ("address", "reason"), [("127.0.0.1:1", "refused"), ("here", "expected host:port, 'auto' or 'local'")]
)
def test_no_cluster_at_the_address(address: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ray:
        @staticmethod
        def is_initialized() -> bool:
            return False

    monkeypatch.setattr(module, "ray_modules", Ray)
    model = byola_hear.load_model("speech")
    with pytest.raises(ValueError, match=f"no Ray cluster can be reached at '{address}': .*{reason}"):
        list(extract_on_ray([CLIP_A], model, request_for(model), address=address))


def descends_from_here(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def kill_a_worker() -> None:
    """Kill a process that is a worker of the cluster that was started here."""
    for process in Path("/proc").iterdir():
        try:
            # By its class, or by its task where the version of Ray says that.
            name = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
            if name.startswith((b"ray::MapWorker", b"ray::MapBatches(Worker)")) and descends_from_here(
                int(process.name)
            ):
                os.kill(int(process.name), signal.SIGKILL)
                return
        except OSError:
            continue
    raise AssertionError("no worker is running")


def on_a_cluster_of_two(folder: str) -> None:
    """Compare with the local run, killing a worker on the way; runs in a process of its own."""
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(**{key: value for key, value in node.items() if key != "include_dashboard"})
    files = [str(path) for path in sorted(Path(folder).glob("*_*.*"))]
    clips = [Clip(file, start, start + 0.5) for start in np.arange(0, 0.5, 0.05).tolist() for file in files]
    clips += [Clip(f"{folder}/nowhere.wav"), Clip(files[0])]
    model = byola_hear.load_model("both")
    request = request_for(model, "timestamp")
    began, given = time.monotonic(), []
    for event in extract_on_ray(clips, model, request, address=cluster.address):
        given.append(event)
        if len(given) == 3:
            kill_a_worker()
    print(f"cluster: {len(given)} events in {time.monotonic() - began:.1f} s")
    cluster.shutdown()
    same(given, list(extract(clips, model, request)), 1e-5)
    assert sum(isinstance(event, Failed) for event in given) >= 1
    print("the same")


@pytest.mark.skipif(not os.environ.get("BYOLA_HEAR_TEST_RAY"), reason="BYOLA_HEAR_TEST_RAY=1 starts a cluster")
def test_two_nodes_one_worker_killed(repository: Path, clips_folder: Path) -> None:
    pytest.importorskip("ray")
    # In a new session, so that everything that the cluster starts ends with it.
    process = subprocess.Popen(
        [sys.executable, __file__, str(clips_folder)],
        env={**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=180)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-3000:]
    assert said.splitlines()[-1] == "the same"


if __name__ == "__main__":
    on_a_cluster_of_two(sys.argv[1])
