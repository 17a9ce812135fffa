"""Read and unpack archives from strangers: the members that :mod:`byola_hear.utils.archives` has checked."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from byola_hear.utils.archives import DEFAULT_LIMITS, ArchiveError, Limits, Member, check_name, opened, reading
from byola_hear.utils.files import replacing, stamp_of

_BLOCK = 1 << 20


def read_members(
    archive: Path | bytes, wanted: Callable[[str], bool], limits: Limits = DEFAULT_LIMITS, name: str = ""
) -> Iterator[tuple[str, bytes]]:
    """The wanted files of an archive, one after the other, in its order. Nothing is written to disk.

    Args:
        archive: a tar or zip; its first bytes tell which.
        wanted: takes a member's name, such as ``folder/file.wav``, and returns whether to read it.
        limits: what the archive may hold.
        name: its name in errors; its path if empty.

    Yields:
        Names and contents.

    Raises:
        ArchiveError: if the archive is refused or can't be read.
    """
    called = name or (str(archive) if isinstance(archive, Path) else "archive")
    with reading(called), opened(archive, called, limits) as members:
        for member in members:
            if member.kind == "file" and wanted(member.name):
                yield member.name, read_member(called, member)


def read_member(called: str, member: Member) -> bytes:
    """The content of a member.

    Raises:
        ArchiveError: if the archive ends before the member does.
    """
    read = member.open().read()
    if len(read) != member.size:
        raise ArchiveError(f"{called}: {member.name!r} ends after {len(read)} of {member.size} bytes")
    return read


def extract(
    archive: Path,
    folder: Path,
    place: Callable[[str], str | None],
    limits: Limits = DEFAULT_LIMITS,
    progress: bool = False,
) -> None:
    """Unpack files of an archive into a new folder, all of them or none.

    Args:
        archive: a tar or zip.
        folder: must not exist yet; its parent must.
        place: takes a member's name and returns its path in ``folder``, with slashes; None leaves it out.
        limits: what the archive may hold.
        progress: show a bar on stderr.

    Raises:
        ArchiveError: if the archive is refused, can't be read, or holds no file that has a place.
        ValueError: if the folder exists or can't be written.
        OSError: if the disk is full.
    """
    called = str(archive)
    with reading(called), opened(archive, called, limits) as members:
        bar = tqdm(members, f"unpack {archive.name}", unit="file", disable=not progress, leave=False)
        n_files = write_files((member for member in bar if member.kind == "file"), called, folder, place)
    if not n_files:
        folder.rmdir()
        raise ArchiveError(f"{archive}: holds none of the files that are expected in it")


def write_files(files: Iterable[Member], called: str, folder: Path, place: Callable[[str], str | None]) -> int:
    """Write members into a new folder, all of them or none.

    They are written to ``FOLDER.partial``, which is renamed when all are there.

    Args:
        files: checked members, all of them files.
        called: the archive's name in errors.
        folder: must not exist yet; its parent must.
        place: takes a member's name and returns its path in ``folder``, with slashes; None leaves it out.

    Returns:
        Number of files.

    Raises:
        ArchiveError: if the archive can't be read, or two members can't be in one folder.
        ValueError: if the folder exists or can't be written.
        OSError: if the disk is full.
    """
    if folder.exists():
        raise ValueError(f"{folder}: expected no such file or folder yet")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        n_files = 0
        for member in files:
            path = place(member.name)
            if path is not None:
                _write(called, member, partial / check_name(called, path))
                n_files += 1
        os.rename(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return n_files


def extract_missing(archive: Path, folder: Path, limits: Limits = DEFAULT_LIMITS) -> None:
    """Unpack the files of an archive into a folder that may hold some of them. Links and devices are skipped.

    Args:
        archive: a tar or zip.
        folder: it is created. Files of the right size in it are kept.
        limits: what the archive may hold.

    Raises:
        ArchiveError: if the archive is refused or can't be read; files that were unpacked before that stay.
        ValueError: if a file can't be written.
        OSError: if the disk is full.
    """
    called = str(archive)
    with reading(called), opened(archive, called, limits, skip_special=True) as members:
        for member in members:
            path = folder / member.name
            there = stamp_of(str(path))
            kept = there is not None and there[0] == member.size and path.is_file()
            if member.kind == "file" and not kept:
                _write(called, member, path, replacing)


def _new_file(path: Path) -> BinaryIO:
    """A new file. Two members that are one file on this file system, such as A and a, are an error."""
    return open(path, "xb")


def _write(
    called: str, member: Member, path: Path, create: Callable[[Path], AbstractContextManager[BinaryIO]] = _new_file
) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with create(path) as out:
            shutil.copyfileobj(member.open(), out, _BLOCK)
            if out.tell() != member.size:
                raise ArchiveError(f"{called}: {member.name!r} ends after {out.tell()} of {member.size} bytes")
    except FileExistsError as error:
        raise ArchiveError(f"{called}: {member.name!r} is in it twice, or as a file and a folder") from error
    except NotADirectoryError as error:
        raise ArchiveError(f"{called}: {member.name!r} lies below a file") from error
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # no fault of the archive: another would find no room, either
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise ValueError(f"{called}: {path} could not be written: {error.strerror}") from error
