"""Start-up time and peak memory, each measured in a process of its own: ``python -m benchmark.speed.children``.

Prints one line of JSON. Not meant to be run by hand: :mod:`benchmark.speed.embeddings` does.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def start_up(model: str) -> dict[str, float]:
    """Seconds until the first clip's embedding, after torch has been imported."""
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


def peak_bytes() -> int:
    """The most memory that this process has held, bytes."""
    try:
        # On Linux ru_maxrss also counts what the parent held when it started this process; this does not.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory_of_file(model: str, file: str, table: str) -> dict[str, float]:
    """Peak memory of ``byola-hear embed FILE -o TABLE``, and what it took."""
    from byola_hear.cli.main import main

    began = time.perf_counter()
    try:
        main(["embed", file, "-o", table, "--model", model])
    except SystemExit as stopped:
        if stopped.code:
            raise
    return {"peak_bytes": peak_bytes(), "seconds": time.perf_counter() - began}


def memory_of_tensor(model: str, seconds: str) -> dict[str, float]:
    """Peak memory of one long tensor through ``get_scene_embeddings``, and what it took."""
    import torch

    import byola_hear

    loaded = byola_hear.load_model(model)
    audio = torch.zeros(1, round(float(seconds) * loaded.sample_rate)).uniform_(-0.1, 0.1)
    began = time.perf_counter()
    byola_hear.get_scene_embeddings(audio, loaded)
    return {"peak_bytes": peak_bytes(), "tensor_bytes": audio.nbytes, "seconds": time.perf_counter() - began}


MEASUREMENTS = {"start_up": start_up, "memory_of_file": memory_of_file, "memory_of_tensor": memory_of_tensor}


def measured(name: str, *arguments: str) -> dict[str, Any]:
    """Run one of the measurements in a new process.

    Args:
        name: out of ``MEASUREMENTS``.
        arguments: what it takes.

    Returns:
        What it gives.

    Raises:
        RuntimeError: if the process fails, with the last line that it said.
    """
    command = [sys.executable, "-m", "benchmark.speed.children", name, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RuntimeError(f"{name} failed: {lines[-1]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
