"""A worker process that does not outlive the process that started it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing import connection, parent_process


def end_with_parent(before: Callable[[], None] | None = None) -> None:
    """End this process if its parent is killed. Otherwise it would write into the folder of the next run.

    Args:
        before: called just before this process ends.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        if before is not None:
            before()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
