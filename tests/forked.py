"""Work in a forked process, which starts at once, because everything is imported."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def start(work: Callable[..., int | None], *arguments: object) -> int:
    """Start work in a process.

    Args:
        work: returns the process's exit code, None for 0. If it raises an error, the exit code is 99.
        arguments: what to call it with.

    Returns:
        The process's number, for :func:`wait`.
    """
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


def wait(pid: int) -> int:
    """Wait for a process; its exit code, or minus the number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
