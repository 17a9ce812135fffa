"""What tests need to know of other processes. Linux only."""

from __future__ import annotations

import os
from pathlib import Path


def is_running(process: int | str) -> bool:
    """Whether a process exists and is not a zombie.

    Args:
        process: its number.
    """
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def working_in(folder: Path) -> list[str]:
    """The processes that work in a folder, or none where there is no /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(str(folder)):
                found.append(process.name)
        except OSError:
            continue
    return found
