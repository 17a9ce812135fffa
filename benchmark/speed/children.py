"""Measurements in processes of their own: start-up time and peak memory.

``python -m benchmark.speed.children NAME ARGUMENT...`` prints one line of JSON. :mod:`benchmark.speed.embeddings` runs
it; it is not meant to be run by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark import CHECKOUT


class ChildFailed(RuntimeError):
    """A child process ended in an error. The message names it and repeats its last line."""


def child_result(
    module: str, name: str, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None
) -> Any:
    """Run ``python -m MODULE NAME ARGUMENT...`` in a new process.

    Args:
        module: the module.
        name: its first argument, named in errors.
        arguments: its other arguments.
        stdin: its standard input.
        environment: variables that are added to this process's.

    Returns:
        The JSON value in its last line.

    Raises:
        ChildFailed: if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, name, *arguments],
        input=stdin,
        cwd=CHECKOUT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ChildFailed(f"{name} failed: {lines[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def start_up(model: str) -> dict[str, float]:
    """Seconds from the import of torch to the first clip's embedding."""
    began = time.perf_counter()
    import torch

    with_torch = time.perf_counter()
    import byola_hear

    imported = time.perf_counter()
    loaded = byola_hear.load_model(model)
    load = time.perf_counter()
    byola_hear.get_scene_embeddings(torch.zeros(1, loaded.sample_rate), loaded)
    done = time.perf_counter()
    return {
        "torch": with_torch - began,
        "import": imported - with_torch,
        "load": load - imported,
        "first_clip": done - load,
        "total": done - with_torch,
    }


def first_row(model: str, file: str, table: str) -> float:
    """Time of ``byola-hear embed FILE -o TABLE`` in a new process, from its start to its end, s.

    Raises:
        ChildFailed: if it fails.
    """
    began = time.perf_counter()
    arguments = ("embed", file, "-o", table, "--model", model, "--overwrite", "--quiet")
    done = subprocess.run([sys.executable, "-m", "byola_hear", *arguments], cwd=CHECKOUT, capture_output=True)
    if done.returncode:
        raise ChildFailed(f"byola-hear embed ended with exit code {done.returncode}")
    return time.perf_counter() - began


def peak_bytes() -> int:
    """Peak memory of this process, bytes."""
    try:
        # On Linux, ru_maxrss includes the parent's memory at the time of the fork; this does not.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
    except (OSError, StopIteration):
        import resource  # which Windows lacks

        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory_of_file(model: str, file: str, table: str) -> dict[str, float]:
    """Peak memory of ``byola-hear embed FILE -o TABLE``, bytes, and its time, s."""
    from byola_hear.cli.main import main

    began = time.perf_counter()
    try:
        main(["embed", file, "-o", table, "--model", model])
    except SystemExit as stopped:
        if stopped.code:
            raise
    return {"peak_bytes": peak_bytes(), "seconds": time.perf_counter() - began}


def memory_of_tensor(model: str, seconds: str) -> dict[str, float]:
    """Peak memory of ``get_scene_embeddings`` on one long tensor, bytes, and its time, s."""
    import torch

    import byola_hear

    loaded = byola_hear.load_model(model)
    audio = torch.zeros(1, round(float(seconds) * loaded.sample_rate)).uniform_(-0.1, 0.1)
    began = time.perf_counter()
    byola_hear.get_scene_embeddings(audio, loaded)
    return {"peak_bytes": peak_bytes(), "tensor_bytes": audio.nbytes, "seconds": time.perf_counter() - began}


MEASUREMENTS = {"start_up": start_up, "memory_of_file": memory_of_file, "memory_of_tensor": memory_of_tensor}


def measured(name: str, *arguments: str) -> dict[str, Any]:
    """Run one of :data:`MEASUREMENTS` in a new process.

    Args:
        name: name of the measurement.
        arguments: its arguments.

    Returns:
        Its result.

    Raises:
        ChildFailed: if the process fails.
    """
    result: dict[str, Any] = child_result("benchmark.speed.children", name, *arguments)
    return result


if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
