"""Commands in processes of their own: one thread each, output into a log, none of them left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The folder from which ``benchmark`` can be imported.
CHECKOUT = Path(__file__).resolve().parents[2]

#: Seconds that a process is given to end when it is told to.
PATIENCE = 5.0

#: One thread each. Bars redraw a line many times a second, which costs time and fills the log. See
#: :mod:`benchmark.hear_tools.hook` for what ``HEAR_TOOLS_FAST`` leaves out.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "HEAR_TOOLS_FAST": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
    "CUDA_VISIBLE_DEVICES": "",
}


class Failed(RuntimeError):
    """A command that ended with an error; the message is the last thing that it said."""


class Stopped(RuntimeError):
    """A command that was not to be finished, or not to be begun, since the run is over."""


class Processes:
    """Runs commands for several threads at once and can stop them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, arguments: Sequence[str], log: Path, cwd: Path, extra: Mapping[str, str] | None = None) -> None:
        """Run a Python command and wait for its end.

        Args:
            arguments: after ``python``.
            log: the command and what it says are added at its end.
            cwd: the folder that it runs in.
            extra: further environment variables.

        Raises:
            Failed: if it ended with an error.
            Stopped: if :meth:`stop` was called.
        """
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": path, **(extra or {})}
        with open(log, "ab") as file:
            file.write(f"$ python {' '.join(arguments)}\n".encode())
            file.flush()
            started = file.tell()
            with self._lock:
                if self._stopped:
                    raise Stopped
                # Its standard input tells it when this process is gone; a group of its own keeps Ctrl-C from it.
                process = subprocess.Popen(
                    [sys.executable, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=environment,
                    start_new_session=True,
                )
                self._running.add(process)
            try:
                code = process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)
                if process.stdin:
                    process.stdin.close()
        if self._stopped:
            raise Stopped
        if code:
            raise Failed(last_line(log, started) or f"ended with exit status {code}")

    def stop(self) -> None:
        """End every running command, and begin no more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        for process in running:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
                process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and its children, if it still runs."""
    if process.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()
    except ProcessLookupError:
        pass


def last_line(log: Path, start: int = 0, n_characters: int = 300) -> str:
    """The last line that a command wrote, which for Python is the error.

    Args:
        log: its log.
        start: where in it the command began, bytes.
        n_characters: how much of the line is kept.
    """
    with open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(start, file.tell() - 20000))
        lines = file.read().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:n_characters] if said else ""
