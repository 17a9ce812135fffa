"""Run a command of HEAR's in a child process that ends when its parent ends.

Standard input is a pipe that the parent keeps open and never writes to. When the parent ends, for any reason, the pipe
closes and the child exits.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Sequence


def end_with_parent() -> None:
    """Exit as soon as standard input is closed."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end with parent").start()


def run_main(module: str, arguments: Sequence[str]) -> None:
    """Run a module in this process as ``python -m`` does.

    Args:
        module: the module's name.
        arguments: its arguments.

    Raises:
        SystemExit: if the module failed.
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
