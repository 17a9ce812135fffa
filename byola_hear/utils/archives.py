"""What is in an archive from a stranger: the members of a tar or zip, each checked before it is used.

A tar may be compressed by gzip, bzip2 or xz. An archive is refused as a whole for a member with an unsafe name, for two
members of one name, for links, devices and everything else that is not a file or folder (or these are skipped), and for
more members, bytes or compression than its limits allow.
:mod:`byola_hear.utils.unpack` reads and unpacks the members.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol


class ArchiveError(ValueError):
    """An archive that is damaged or unsafe; the message names it."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes:
        members: greatest number of files and folders.
        total_bytes: greatest size of all files, unpacked.
        member_bytes: greatest size of one file, unpacked.
        ratio: greatest ratio of unpacked to packed bytes of the whole; checked above 64 MiB.
    """

    members: int = 300_000
    total_bytes: int = 16 << 30
    member_bytes: int = 1 << 30
    ratio: float = 100.0


#: For archives of audio of a few gigabytes.
DEFAULT_LIMITS = Limits()

_RATIO_FROM = 64 << 20
_BLOCK = 1 << 20

#: What unpacks a compressed tar, by its first bytes.
_DECOMPRESSORS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"]\x00\x00": lzma.LZMAFile,
}

#: What reading a damaged archive may raise.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    struct.error,
    NotImplementedError,
    RecursionError,  # headers of a tar that describe further headers
)


class Readable(Protocol):
    """A member open for reading."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Member:
    """A file or folder of an archive.

    Attributes:
        name: its path, with slashes; checked.
        size: bytes, unpacked.
        kind: ``"file"``, ``"folder"``, ``"special"`` (a link or device) or ``"other"``.
        open: opens its content.
    """

    name: str
    size: int
    kind: str
    open: Callable[[], Readable]


@contextmanager
def reading(called: str, expected: str = "a tar or zip") -> Iterator[None]:
    """Turn the errors of a damaged archive into one.

    Args:
        called: the archive's name in the message.
        expected: what it should be.

    Raises:
        ArchiveError: if the archive is damaged.
    """
    try:
        yield
    except (*_DAMAGED, OSError) as error:
        # Decompressors report damage as an OSError without a number, the system reports its own with one.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ArchiveError(f"{called}: expected {expected}, could not read it: {error}") from error


@contextmanager
def opened(
    archive: Path | bytes, called: str, limits: Limits, skip_special: bool = False
) -> Iterator[Iterator[Member]]:
    """The members of an archive in order, each checked before it is yielded.

    Args:
        archive: a tar or zip; its first bytes tell which.
        called: its name in errors.
        limits: what it may hold.
        skip_special: skip links and devices, instead of refusing the archive.
    """
    with io.BytesIO(archive) if isinstance(archive, bytes) else open(archive, "rb") as raw:
        packed = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        start = raw.read(6)
        raw.seek(0)
        if start.startswith(b"PK"):
            with zipfile.ZipFile(raw) as zipped:
                yield _checked(_zip_members(called, zipped, limits), called, packed, limits, skip_special)
        else:
            unpacks = next((stream for magic, stream in _DECOMPRESSORS.items() if start.startswith(magic)), None)
            bounded = _Bounded(unpacks(raw) if unpacks else raw, called, limits)
            with tarfile.open(fileobj=bounded, mode="r:") as tar:  # type: ignore[call-overload]
                yield _checked(_and_the_rest(_tar_members(tar), bounded), called, packed, limits, skip_special)


def files_of_tar(tar: tarfile.TarFile, called: str, packed: int, limits: Limits) -> Iterator[Member]:
    """The files of an open tar, which may hold links and devices: these are skipped. Names are checked all the same.

    Args:
        tar: the tar; each member must be read before the next one is asked for.
        called: its name in errors.
        packed: bytes of the archive that it comes from.
        limits: what it may hold.

    Raises:
        ArchiveError: if it is refused.
    """
    members = _checked(_tar_members(tar), called, packed, limits, skip_special=True)
    return (member for member in members if member.kind == "file")


def zip_content(zipped: zipfile.ZipFile, name: str, called: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The content of one file of a zip whose other members do not matter.

    Args:
        zipped: the zip.
        name: the file's.
        called: the file's name in errors.
        limits: what it may hold.

    Raises:
        ArchiveError: if the file is too large, encrypted or damaged.
    """
    info = zipped.getinfo(name)
    if info.file_size > limits.member_bytes:
        raise ArchiveError(f"{called}: expected at most {limits.member_bytes} bytes, found {info.file_size}")
    if info.flag_bits & 1:
        raise ArchiveError(f"{called}: it is encrypted")
    with reading(called, "a file of a zip"):
        return zipped.read(info)


class _Bounded:
    """A stream that ends in an error where an archive within the limits would have ended, or where more is read at
    once than one member may hold: the headers of a tar, too, state their own length.
    """

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


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    for member in tar:
        # A sparse file is a file whose content is not simply there, so it can't be skipped like a link.
        kind = "other" if member.issparse() else "file" if member.isreg() else "folder" if member.isdir() else "special"

        def content(member: tarfile.TarInfo = member) -> Readable:
            extracted = tar.extractfile(member)
            return extracted if extracted is not None else io.BytesIO()

        # A tar keeps its root as ".".
        if not (member.isdir() and member.name in (".", "./")):
            yield Member(member.name, member.size, kind, content)
        # Otherwise every header read so far stays in memory.
        tar.members = []  # type: ignore[attr-defined]


def _and_the_rest(members: Iterator[Member], stream: _Bounded) -> Iterator[Member]:
    """The members; then the stream is read to its end, where a compressed one has the check sum of its content."""
    yield from members
    while stream.read(_BLOCK):
        pass


def _zip_members(called: str, zipped: zipfile.ZipFile, limits: Limits) -> Iterator[Member]:
    infos = zipped.infolist()
    # A zip states all sizes up front, so one that is too large is refused before anything is unpacked.
    if len(infos) > limits.members or sum(info.file_size for info in infos) > limits.total_bytes:
        raise ArchiveError(
            f"{called}: would unpack to more than {limits.members} members or {limits.total_bytes} bytes"
        )
    for info in infos:
        file_type = stat.S_IFMT(info.external_attr >> 16)
        # Unlike is_dir(), this takes a name of no characters, which is refused later, as any bad name.
        kind = "folder" if info.filename.endswith("/") else "file"
        if info.flag_bits & 1:
            raise ArchiveError(f"{called}: {info.filename!r} is encrypted")
        # zipfile unpacks a whole block of the other methods at a time, however few bytes are asked for.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(f"{called}: {info.filename!r} is neither stored nor deflated")

        def content(info: zipfile.ZipInfo = info) -> Readable:
            return zipped.open(info)

        # The name as it is stored: zipfile changes some names on some systems.
        yield Member(
            info.orig_filename,
            info.file_size,
            kind if file_type in (0, stat.S_IFREG, stat.S_IFDIR) else "special",
            content,
        )


def _checked(
    members: Iterator[Member], called: str, packed: int, limits: Limits, skip_special: bool
) -> Iterator[Member]:
    seen: set[str] = set()
    total = 0
    for count, member in enumerate(members, 1):
        name = check_name(called, member.name)
        if count > limits.members:
            raise ArchiveError(f"{called}: expected at most {limits.members} members, found more")
        if member.kind == "special" and skip_special:
            continue
        if member.kind not in ("file", "folder"):
            raise ArchiveError(f"{called}: expected only files and folders, {member.name!r} is something else")
        if member.size > limits.member_bytes:
            raise ArchiveError(f"{called}: {name!r} has {member.size} bytes, expected at most {limits.member_bytes}")
        total += member.size
        if total > limits.total_bytes:
            raise ArchiveError(f"{called}: would unpack to more than {limits.total_bytes} bytes")
        if total > _RATIO_FROM and total > limits.ratio * packed:
            raise ArchiveError(f"{called}: would unpack to more than {limits.ratio:g} times its {packed} bytes")
        if member.kind == "file":
            if name in seen:
                raise ArchiveError(f"{called}: {name!r} is in it twice")
            seen.add(name)
        yield replace(member, name=name)


def check_name(called: str, name: str) -> str:
    """A member's name without a leading ``./`` or a closing slash.

    Raises:
        ArchiveError: if the name is absolute, leads out of its folder or is not valid on every system.

    >>> check_name("a.tar", "./folder/file.wav")
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
        raise ArchiveError(
            f"{called}: refused the member {name[:200]!r}: its name leads outside the folder or is not valid everywhere"
        )
    return "/".join(parts)
