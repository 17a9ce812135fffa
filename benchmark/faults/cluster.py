"""A Ray cluster of two nodes that loses one of them in the middle of the work."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.faults.killed import kill
from benchmark.faults.proof import Found, Settings, collection, finished, last_line, random_for, start
from byola_hear.tables import read_table

#: Files of the collection, and how long the work on it may take at most, s.
FILES, PATIENCE = 300, 1800.0
#: Two embeddings count as equal if they differ by at most this share of the largest value.
TOLERANCE = 1e-5
#: What both nodes are started with.
NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20}


def cluster(settings: Settings) -> Found:
    """``byola-hear embed --ray`` while the node without the driver is killed."""
    found = Found(
        f"`byola-hear embed --ray` of {FILES + 1} files, one of them broken, on two nodes, one of which is killed in "
        "the middle; the table is compared with that of a run without Ray"
    )
    if importlib.util.find_spec("ray") is None:
        found.not_tried = "Ray is missing (pip install 'byola-hear[ray]')"
        return found
    work = settings.work / "cluster"
    sounds, log = collection(work / "sounds", FILES), work / "log.txt"
    (sounds / "broken.wav").write_bytes(b"RIFF no sound")
    plain, shared = work / "plain.parquet", work / "ray.parquet"
    command = ("byola_hear", "embed", str(sounds), "-q", "-o")
    began = time.monotonic()
    code = finished((*command, str(plain)), log)
    seconds = time.monotonic() - began
    found.expect(code == 1, f"the plain command ended with {code}: {last_line(log)}")
    if code != 1:
        return found
    wait = random_for(settings, "ray-cluster").uniform(0, 0.5) * seconds
    began = time.monotonic()
    with two_nodes() as (address, kill_node):
        process = start((*command, str(shared), "--ray", address), log)
        parts = work / "ray.parquet.parts"
        while process.poll() is None and not any(parts.glob("*.part")):
            time.sleep(0.1)
        time.sleep(wait)
        found.expect(process.poll() is None, f"it ended before the node was killed: {last_line(log)}")
        kill_node()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            kill(process)
            found.expect(False, f"it had not ended {PATIENCE:g} s after the node was killed")
            return found
    found.figures = {
        "seconds undisturbed": round(seconds, 1),
        "seconds with Ray, start of the cluster included": round(time.monotonic() - began, 1),
    }
    found.expect(code == 1, f"it ended with {code}: {last_line(log)}")
    if code == 1:
        compare(found, plain, shared)
    return found


def compare(found: Found, plain: Path, shared: Path) -> None:
    """Expect the rows, the numbers and the errors of two tables to be the same."""
    one, other = read_table(plain), read_table(shared)
    found.expect(one.index.equals(other.index), f"expected the {len(one)} rows of the plain table, got {len(other)}")
    if one.index.equals(other.index):
        expected, given = one.to_numpy(), other.to_numpy()
        largest = float(np.abs(expected - given).max() / np.abs(expected).max())
        found.figures["largest difference, share of the largest value"] = float(f"{largest:.2g}")
        found.expect(largest <= TOLERANCE, f"embeddings differ by {largest:.2g} of the largest value")
    errors = [Path(f"{path}.errors.csv").read_text() for path in (plain, shared)]
    found.expect(errors[0] == errors[1], "the tables of errors differ")


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[str, Any]]:
    """A cluster on this machine.

    Yields:
        Its address, and a function that kills the processes of its second node.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "600")  # on a busy machine
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own 15 starves the workers beside other proofs
    from ray.cluster_utils import Cluster

    both = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        second = both.add_node(**NODE)
        yield both.address, lambda: both.remove_node(second, allow_graceful=False)
    finally:
        both.shutdown()
