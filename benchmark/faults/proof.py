"""A proof: something bad is done to the package many times, and what goes wrong is counted."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import CHECKOUT, CLIPS

#: Commands that this process has started.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Settings:
    """What all proofs share.

    Attributes:
        work: an empty folder.
        seed: seed of everything random.
        kills: number of times that each command is killed.
        fills: number of times that the disk fills up.
        files: number of files of the large collections.
        hours: length of the long file, h.
        fuzz_seconds: time for each reader of foreign bytes, s.
    """

    work: Path
    seed: int = 0
    kills: int = 50
    fills: int = 20
    files: int = 10_000
    hours: float = 24.0
    fuzz_seconds: float = 600.0


@dataclass
class Found:
    """What a proof found.

    Attributes:
        tried: how often something bad was done.
        what: what was done, and what was compared, in words.
        faults: what went wrong, a sentence each; the proof holds if there is none.
        figures: further numbers by name.
        not_tried: why the proof could not be tried here; None if it was.
    """

    what: str
    tried: int = 0
    faults: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    not_tried: str | None = None

    def expect(self, true: bool, fault: str) -> None:
        """Count one trial, and a fault if it went wrong."""
        self.tried += 1
        if not true:
            self.faults.append(fault)


Proof = Callable[[Settings], Found]


def random_for(settings: Settings, name: str) -> random.Random:
    """Random numbers for a proof, which don't depend on the proofs before it."""
    return random.Random(f"{settings.seed} {name}")


def environment() -> dict[str, str]:
    """The environment of the commands: one thread, and this checkout."""
    path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def start(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m ARGUMENT...`` in a process group of its own; its output is appended to a file."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment(),
            start_new_session=True,
        )
    _started.append(process)
    return process


def end_started() -> None:
    """Kill the commands that this process has started and that still run, with everything that they started."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            # It may end between the two calls.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def finished(arguments: Sequence[str], log: Path, timeout: float | None = None) -> int:
    """Run ``python -m ARGUMENT...`` to its end.

    Returns:
        The exit code.
    """
    return start(arguments, log).wait(timeout)


def last_line(log: Path) -> str:
    """The last line that a command printed."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def collection(folder: Path, count: int) -> Path:
    """Make a folder of ``count`` files out of the real clips, by links where the system has them.

    Returns:
        The folder.
    """
    clips = sorted(clip for clip in CLIPS.iterdir() if clip.suffix != ".md")
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        clip = clips[index % len(clips)]
        target = folder / f"{index:06}{clip.suffix}"
        if not target.exists():
            try:
                os.link(clip, target)
            except OSError:
                target.write_bytes(clip.read_bytes())
    return folder
