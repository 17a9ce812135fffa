"""A command of HEAR's in a process of its own, which ends when the process that started it does.

Standard input is a pipe that the parent holds open and never writes to. When the parent ends, by whatever signal, the
pipe is closed, and so is this process.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Sequence


def end_with_parent() -> None:
    """Watch standard input; when it is closed, the process ends at once."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end with parent").start()


def run_main(module: str, arguments: Sequence[str]) -> None:
    """Run a module as ``python -m`` does, in this process.

    Args:
        module: its name.
        arguments: what follows on the command line.

    Raises:
        SystemExit: if it ended with anything but success.
    """
    before = sys.argv
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise
    finally:
        sys.argv = before
