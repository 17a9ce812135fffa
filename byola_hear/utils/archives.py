"""Archives from strangers: tar, tar.gz and zip, read and unpacked without trusting anything in them.

Refused, whole: a name that is absolute, leaves its folder or can't be one everywhere; two members of one name; links,
devices and everything else that is no file or folder; more members, bytes or compression than the limits allow.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from tqdm import tqdm


class ArchiveError(ValueError):
    """An archive that is damaged, or that no honest one would look like; the message names it."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold at most.

    Attributes:
        members: files and folders.
        total_bytes: of all files, unpacked.
        member_bytes: of one file, unpacked.
        ratio: unpacked bytes to packed ones, of the whole; looked at above 64 MiB.
    """

    members: int = 300_000
    total_bytes: int = 16 << 30
    member_bytes: int = 1 << 30
    ratio: float = 100.0


#: For archives of audio of a few gigabytes.
DEFAULT_LIMITS = Limits()

_RATIO_FROM = 64 << 20
_BLOCK = 1 << 20

#: Whatever reading a damaged archive may raise.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    struct.error,
    NotImplementedError,
    RecursionError,  # a tar's headers that go on in further headers
)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    is_folder: bool
    open: Callable[[], _Readable]


def read_members(
    archive: Path | bytes, wanted: Callable[[str], bool], limits: Limits = DEFAULT_LIMITS, name: str = ""
) -> Iterator[tuple[str, bytes]]:
    """The wanted files of an archive, one after the other, in its order. Nothing is written to disk.

    Args:
        archive: a tar, tar.gz or zip; which, is seen from its first bytes.
        wanted: tells by a member's name, such as ``folder/file.wav``, whether to read it.
        limits: what it may hold.
        name: what to call it in errors; its path if empty.

    Yields:
        Names and contents.

    Raises:
        ArchiveError: if it is refused or can't be read.
    """
    called = name or (str(archive) if isinstance(archive, Path) else "archive")
    with _reading(called), _members(archive, called, limits) as members:
        for member in members:
            if not member.is_folder and wanted(member.name):
                content = member.open().read()
                if len(content) != member.size:
                    raise ArchiveError(f"{called}: {member.name!r} ends after {len(content)} of {member.size} bytes")
                yield member.name, content


def extract(
    archive: Path,
    folder: Path,
    place: Callable[[str], str | None],
    limits: Limits = DEFAULT_LIMITS,
    progress: bool = False,
) -> None:
    """Unpack files of an archive into a folder that appears when all are there, or not at all.

    Args:
        archive: a tar, tar.gz or zip.
        folder: must not exist yet; its parent must.
        place: from a member's name to its path in ``folder``, with slashes; None leaves it out.
        limits: what the archive may hold.
        progress: show a bar on stderr.

    Raises:
        ArchiveError: if the archive is refused, can't be read, or holds nothing that has a place.
        ValueError: if the folder exists or can't be written.
    """
    if folder.exists():
        raise ValueError(f"{folder}: expected no such file or folder yet")
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        unpacked = temporary / "unpacked"
        unpacked.mkdir()
        with _reading(str(archive)), _members(archive, str(archive), limits) as members:
            count = 0
            bar = tqdm(members, f"unpack {archive.name}", unit="file", disable=not progress, leave=False)
            for member in bar:
                path = None if member.is_folder else place(member.name)
                if path is not None:
                    _check_name(str(archive), path)
                    _write(str(archive), member, unpacked / path)
                    count += 1
        if not count:
            raise ArchiveError(f"{archive}: holds none of the files that are expected in it")
        os.rename(unpacked, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(called: str, member: _Member, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": two members that are one file on this file system, such as A and a, are refused.
        with open(path, "xb") as out:
            shutil.copyfileobj(member.open(), out, _BLOCK)
    except FileExistsError as error:
        raise ArchiveError(f"{called}: {member.name!r} is there twice, or as a file and a folder") from error
    except NotADirectoryError as error:
        raise ArchiveError(f"{called}: {member.name!r} lies below what is a file") from error
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        raise ValueError(f"{path}: could not be written: {error.strerror}") from error
    if path.stat().st_size != member.size:
        raise ArchiveError(f"{called}: {member.name!r} ends after {path.stat().st_size} of {member.size} bytes")


@contextmanager
def _reading(called: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise ArchiveError(f"{called}: expected a tar, tar.gz or zip, could not read it: {error}") from error


@contextmanager
def _members(archive: Path | bytes, called: str, limits: Limits) -> Iterator[Iterator[_Member]]:
    """All members in order, each checked before it is given out."""
    with io.BytesIO(archive) if isinstance(archive, bytes) else open(archive, "rb") as raw:
        packed = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        start = raw.read(4)
        raw.seek(0)
        if start.startswith(b"PK"):
            with zipfile.ZipFile(raw) as opened:
                yield _checked(_zip_members(called, opened, limits), called, packed, limits)
        else:
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if start.startswith(b"\x1f\x8b") else raw  # type: ignore[assignment]
            bounded = _Bounded(stream, called, limits)
            with tarfile.open(fileobj=bounded, mode="r:") as tar:  # type: ignore[call-overload]
                yield _checked(_tar_members(called, tar), called, packed, limits)


class _Bounded:
    """A stream that gives out no more than an archive of the size allowed would have, and no more at once than one
    member: the headers of a tar, too, have a length that it states itself."""

    def __init__(self, stream: BinaryIO, called: str, limits: Limits) -> None:
        self._stream = stream
        self._called = called
        self._most_at_once = max(limits.member_bytes, _BLOCK)
        # A tar has up to three blocks of 512 bytes around a member's content.
        self._last = limits.total_bytes + limits.members * 4096 + _BLOCK

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._most_at_once or self._stream.tell() + size > self._last:
            raise ArchiveError(f"{self._called}: a part of it would be larger than is allowed")
        return self._stream.read(size)

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and position > self._last:
            raise ArchiveError(f"{self._called}: a part of it would be larger than is allowed")
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _tar_members(called: str, tar: tarfile.TarFile) -> Iterator[_Member]:
    for member in tar:
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise ArchiveError(f"{called}: expected files and folders alone, {member.name!r} is something else")

        def content(member: tarfile.TarInfo = member) -> _Readable:
            extracted = tar.extractfile(member)
            return extracted if extracted is not None else io.BytesIO()

        # A tar keeps its root as ".".
        if not (member.isdir() and member.name in (".", "./")):
            yield _Member(member.name, member.size, member.isdir(), content)
        # Otherwise every header read so far stays in memory.
        tar.members = []  # type: ignore[attr-defined]


def _zip_members(called: str, opened: zipfile.ZipFile, limits: Limits) -> Iterator[_Member]:
    infos = opened.infolist()
    # All is stated up front: a zip that is too large is refused before anything of it is unpacked.
    if len(infos) > limits.members or sum(info.file_size for info in infos) > limits.total_bytes:
        raise ArchiveError(
            f"{called}: would unpack to more than {limits.members} members or {limits.total_bytes} bytes"
        )
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"{called}: expected files and folders alone, {info.filename!r} is something else")
        if info.flag_bits & 1:
            raise ArchiveError(f"{called}: {info.filename!r} is encrypted")
        # zipfile unpacks a whole block of the other kinds at a time, however few bytes are asked for.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(f"{called}: {info.filename!r} is neither stored nor deflated")

        def content(info: zipfile.ZipInfo = info) -> _Readable:
            return opened.open(info)

        # What zipfile makes of a name on some system is not to hide what it was.
        yield _Member(info.orig_filename, info.file_size, info.is_dir(), content)


def _checked(members: Iterator[_Member], called: str, packed: int, limits: Limits) -> Iterator[_Member]:
    seen: set[str] = set()
    total = 0
    for count, member in enumerate(members, 1):
        name = _check_name(called, member.name)
        if member.size > limits.member_bytes:
            raise ArchiveError(f"{called}: {name!r} has {member.size} bytes, expected at most {limits.member_bytes}")
        total += member.size
        if count > limits.members:
            raise ArchiveError(f"{called}: expected at most {limits.members} members, found more")
        if total > limits.total_bytes:
            raise ArchiveError(f"{called}: would unpack to more than {limits.total_bytes} bytes")
        if total > _RATIO_FROM and total > limits.ratio * packed:
            raise ArchiveError(f"{called}: would unpack to more than {limits.ratio:g} times its {packed} bytes")
        if not member.is_folder:
            if name in seen:
                raise ArchiveError(f"{called}: {name!r} is there twice")
            seen.add(name)
        yield _Member(name, member.size, member.is_folder, member.open)


def _check_name(called: str, name: str) -> str:
    """A member's name without a leading ``./`` or a closing slash.

    >>> _check_name("a.tar", "./folder/file.wav")
    'folder/file.wav'
    """
    plain = re.sub(r"^(\./)+", "", name).rstrip("/")
    parts = PurePosixPath(plain).parts
    if (
        not parts
        or re.search(r"[\\\x00-\x1f\x7f]", name)
        or name.startswith("/")
        or ".." in parts
        or re.match(r"[A-Za-z]:", parts[0])
        or len(plain.encode("utf-8", "surrogateescape")) > 1024
    ):
        raise ArchiveError(f"{called}: refused for a member's name, {name[:200]!r}")
    return "/".join(parts)
