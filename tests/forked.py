"""Work in a forked process, which starts at once, because everything is imported."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

import pytest


def start(work: Callable[..., int | None], *arguments: object) -> int:
    """Start work in a process.

    Args:
        work: returns the process's exit code, None for 0. If it raises an error, the exit code is 99.
        arguments: what to call it with.

    Returns:
        The process's number, for :func:`wait`.
    """
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked")
    pid = os.fork()
    if pid == 0:
        code: int | None = 99
        try:
            code = work(*arguments)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code or 0)
    return pid


def kill_at(count: int, ending: str) -> None:
    """Kill this process when it is about to give a file its final name.

    Args:
        count: how many files whose names have the ending are finished before.
        ending: of the names.
    """
    rename, finished = os.replace, 0

    def replace(source: Any, target: Any) -> None:
        nonlocal finished
        if os.fspath(target).endswith(ending):
            if finished == count:
                os.kill(os.getpid(), signal.SIGKILL)
            finished += 1
        rename(source, target)

    os.replace = replace  # type: ignore[assignment]


def wait(pid: int) -> int:
    """Wait for a process; its exit code, or minus the number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
