"""What tests need to know of other processes. Linux only."""

from __future__ import annotations

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
