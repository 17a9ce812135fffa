"""Errors of tables, as distinct from errors of clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from byola_hear.utils.text import one_line


class TableError(Exception):
    """A table can't be written or read; the message names the table and the reason."""


class TableRefused(TableError):
    """A request for a table that is wrong in itself; nothing was done."""


@contextmanager
def as_table_error(path: Path, advice: str = "") -> Iterator[None]:
    """Turn an error of the system inside the block into a :class:`TableError`.

    Args:
        path: the file or folder that is being written.
        advice: what to say after the reason.
    """
    try:
        yield
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise TableError(f"{path} can't be written: {reason}{advice}") from error


@contextmanager
def as_read_error(path: Path) -> Iterator[None]:
    """Turn an error of a library that reads a damaged table inside the block into a :class:`TableError`.

    Args:
        path: the table.
    """
    try:
        yield
    except TableError:
        raise
    except Exception as error:  # libraries raise anything on a damaged or hostile file
        reason = one_line(error)[:200]
        raise TableError(f"{path} can't be read: {reason}") from error
