"""What can go wrong with a table, told apart from what can go wrong with a clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TableError(Exception):
    """A table that can't be written or read; the message names it and says why."""


class TableRefused(TableError):
    """A table that was asked for in a way that can't be; nothing was done."""


@contextmanager
def as_table_error(path: Path, advice: str = "") -> Iterator[None]:
    """Turn the system's error inside the block into a :class:`TableError`.

    Args:
        path: the file or folder that can't be written.
        advice: what to say after the reason.
    """
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())
        raise TableError(f"{path} can't be written: {reason}{advice}") from error


@contextmanager
def as_read_error(path: Path) -> Iterator[None]:
    """Turn what a library says of a damaged table inside the block into a :class:`TableError`.

    Args:
        path: the table.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise TableError(f"{path} can't be read: {' '.join(str(error).split())[:200]}") from error
