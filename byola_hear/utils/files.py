"""Files that appear whole or not at all, a lock that keeps two writers apart, and whether a file has changed."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

#: Size in bytes and time of change in ns of a file; None for a name that is no file's.
Stamp = tuple[int, int] | None


def stamp_of(file: str) -> Stamp:
    """What tells cheaply that a file has changed."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name beside it, which becomes its own once all is written.

    Until then, and if anything fails, whatever was there stays as it was.

    Args:
        path: where to; an existing file is replaced.

    Yields:
        The temporary file, open for writing and reading.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    # Of a long name the beginning: the temporary one must not exceed what file systems take, 255 bytes.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".tmp", dir=path.parent)
    try:
        os.close(handle)
        with open(temporary, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # A temporary file is its owner's alone; this one is to be like any other.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def readable(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Say in words what keeps a file from being read inside the block.

    Args:
        path: the file.
        what: what it should be.

    Raises:
        FileNotFoundError: if it is not there.
        OSError: if it can't be read.
        ValueError: if it is a folder.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no such {what}: {os.fspath(path)}") from error
    except IsADirectoryError as error:
        raise ValueError(f"expected a {what}, got the folder {os.fspath(path)}") from error
    except OSError as error:
        raise OSError(f"the {what} {os.fspath(path)} can't be read: {error.strerror or error}") from error


def locked(file: IO[Any]) -> bool:
    """Lock an open file until it is closed.

    Returns:
        False if another process has locked it. Where the system, or the file's, has no such locks, True.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
            raise
    return True
