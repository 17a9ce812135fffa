"""Commands in child processes with one thread each, whose output goes to a log, and which can all be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark import CHECKOUT

#: Time that a process has to end before it is killed, s.
PATIENCE = 5.0

#: One thread each, and no progress bars, which cost time and fill the log. See :mod:`benchmark.hear_tools.hook` for
#: ``HEAR_TOOLS_FAST``.
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
    """A command failed; the message is the last line of its output."""


class Stopped(RuntimeError):
    """A command was stopped, or not started, because the run is over."""


class Processes:
    """Runs commands, for several threads at once, and can stop all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, arguments: Sequence[str], log: Path, cwd: Path, extra: Mapping[str, str] | None = None) -> None:
        """Run a Python command and wait for it.

        Args:
            arguments: arguments of ``python``.
            log: file that the command and its output are appended to.
            cwd: working folder.
            extra: further environment variables.

        Raises:
            Failed: if the command failed.
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
                # Its standard input closes when this process ends; in its own group it gets no Ctrl-C.
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
            raise Failed(last_line(log, started) or f"it ended with exit status {code}")

    def stop(self) -> None:
        """Stop all running commands, and start no further ones."""
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
    """Send a signal to a process and its children if it is still running."""
    if process.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()
    except ProcessLookupError:
        pass


def last_line(log: Path, start: int = 0) -> str:
    """The last line of a command's output, which is the error in Python: its first 300 characters.

    Args:
        log: the log.
        start: position of the command in the log, bytes.
    """
    with open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(start, file.tell() - 20000))
        lines = file.read().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    written = [line.strip() for line in lines if line.strip()]
    return written[-1][:300] if written else ""
