"""Files that are written completely or not at all, locks between processes, changes and hashes of files."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

#: What names a file.
PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]
#: Size in bytes and time of modification in ns of a file; None if it does not exist.
Stamp = tuple[int, int] | None
#: The byte that is locked on Windows, close to the last one that its C library can lock.
_LOCKED_BYTE = 2**31 - 2


def stamp_of(file: str) -> Stamp:
    """A stamp that changes with the file and is quick to get."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_no_content(given: object, what: str) -> None:
    """Refuse the content of a file, open or in memory, where its path is expected: lines of it would pass for paths.

    Args:
        given: what a user gave as a path, or as several.
        what: what is expected, for the message.

    Raises:
        TypeError: if it is an open file or the bytes of one.
    """
    if hasattr(given, "read") and not isinstance(given, os.PathLike):
        got = f"an open file ({type(given).__name__})"
    elif isinstance(given, (bytearray, memoryview)) or (isinstance(given, bytes) and b"\0" in given):
        got = f"{memoryview(given).nbytes} bytes of content ({type(given).__name__})"
    else:
        return
    raise TypeError(f"expected {what}, got {got}; write the content to a file and give its path")


def check_no_input(output: str | os.PathLike[str], *inputs: str | os.PathLike[str]) -> None:
    """Refuse an output that is an input, under this or another path: writing it would destroy the input.

    Args:
        output: the file to write.
        inputs: what is read: paths, or anything else, such as a model's name, which is no file.

    Raises:
        ValueError: if they are the same file.
    """
    for each in inputs:
        with contextlib.suppress(OSError, ValueError):  # one of them is no file
            if os.path.samefile(output, each):
                break
    else:
        return
    raise ValueError(f"expected an output that is no input, got {os.fspath(output)}, which would be lost")


def work_folder(output: Path) -> Path:
    """The folder next to an output that holds unfinished results until the output is complete.

    Example:
        >>> work_folder(Path("birds.parquet"))
        PosixPath('birds.parquet.parts')
    """
    return output.with_name(f"{output.name}.parts")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name in the same folder, and rename it when it is complete.

    Until then, and if anything fails, an existing file stays unchanged. The new one has its permissions.

    Args:
        path: the file; an existing file is replaced.

    Yields:
        The temporary file, opened for writing and reading.

    Raises:
        FileNotFoundError: if the folder does not exist.
        OSError: if the file can't be written, or is a device or a pipe, which would be lost; it names the file.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "expected a file to write, got a device or a pipe", os.fspath(path))
    try:
        handle, temporary = _new_file(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    try:
        os.close(handle)
        with open(temporary, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        take_permissions(temporary, path)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        # A full disk names no file, and a temporary name says nothing to a user.
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, temporary):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system inside the block that names no file, such as a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def take_permissions(new: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Give a file the permissions and group of the one that it is about to replace, if there is one.

    Args:
        new: the file, which the process owns.
        path: the file that is replaced.
    """
    try:
        before = os.stat(path)
    except OSError:
        return
    if hasattr(os, "chown") and os.stat(new).st_gid != before.st_gid:
        with contextlib.suppress(OSError):  # a group that the user is not in
            os.chown(new, -1, before.st_gid)
    # Some file systems have no permissions, and refuse to change them: FAT, or a drive of Windows in WSL.
    with contextlib.suppress(OSError):
        os.chmod(new, stat.S_IMODE(before.st_mode))


def _new_file(path: Path) -> tuple[int, str]:
    """Make a temporary file that only its owner can read if it is to replace one, else with the usual permissions.

    These can't be set later: the process's umask is known only by changing it, for all threads.

    Returns:
        Its descriptor and its path.
    """
    if path.exists():
        return tempfile.mkstemp(prefix=_prefix(path), suffix=".tmp", dir=path.parent)
    while True:
        temporary = path.with_name(f"{_prefix(path)}{secrets.token_hex(4)}.tmp")
        with contextlib.suppress(FileExistsError):
            return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), str(temporary)


def write_file(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file, completely or not at all: see :func:`replacing`. Text is written in UTF-8."""
    with replacing(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def _prefix(path: Path) -> str:
    """How the temporary names of a file begin."""
    return f".{path.name[:60]}."  # only the beginning of a long name: file systems allow 255 bytes


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Remove the temporary files that :func:`replacing` left when its process was killed.

    Args:
        paths: the files that were being written. No other process may be writing them now.
    """
    prefixes: dict[Path, set[str]] = {}
    for path in paths:
        prefixes.setdefault(path.parent, set()).add(_prefix(path))
    for folder, known in prefixes.items():
        with contextlib.suppress(OSError):  # a folder that was never made, or may not be listed
            for name in os.listdir(folder):
                own = re.fullmatch(r"(.*\.)[a-z0-9_]{8}\.tmp", name, re.DOTALL)
                if own and own[1] in known:
                    (folder / name).unlink(missing_ok=True)


@contextmanager
def readable(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Report errors of reading a file inside the block in words.

    Args:
        path: the file.
        what: what the file should be, for the message.

    Raises:
        FileNotFoundError: if it does not exist.
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
        False if another process has locked it. True also where the system or the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return _locked_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
            raise
    return True


def _locked_on_windows(file: IO[Any]) -> bool:
    """:func:`locked` on Windows, where what is locked can't be read: it is a byte beyond the file's end."""
    try:
        msvcrt = importlib.import_module("msvcrt")
    except ImportError:
        return True
    place = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return error.errno != errno.EACCES
    finally:
        os.lseek(file.fileno(), place, os.SEEK_SET)
    return True


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Keep other processes that do the same out of the block; wait until they are out of theirs.

    Args:
        path: file to lock, such as ``.table.json.lock``. It is created, and stays.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    with open(path, "a") as lock:
        while not locked(lock):
            time.sleep(0.1)
        yield
