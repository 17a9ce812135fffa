"""Debian packages without root: read a .deb's control fields and unpack the files one wants.

A .deb is an ``ar`` archive of two tars. ``dpkg-deb`` opens the outer layer where it is installed; elsewhere
Python does, for every compression that its standard library reads. Both give the same tar stream.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from byola_hear.utils.archives import ArchiveError, Limits, files_of_tar
from byola_hear.utils.unpack import read_member, write_files

#: A game's data may be one file of some gigabytes.
LIMITS = Limits(total_bytes=64 << 30, member_bytes=16 << 30)

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60


class DebError(ValueError):
    """A package that can't be read, or that must not be unpacked; the message names it."""


class _Slice(io.RawIOBase):
    """A part of an open file, read as if it were a file."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def control_fields(deb: Path) -> dict[str, str]:
    """The first lines of the fields of a package's control file, ``Version`` among them.

    Raises:
        DebError: if the file is not a readable package.
    """
    with _tar_of(deb, "control") as tar:
        for member in tar:
            data = tar.extractfile(member) if PurePosixPath(member.name).name == "control" else None
            if data is not None:
                lines = data.read().decode("utf-8", "replace").splitlines()
                pairs = (line.partition(":") for line in lines if line[:1].strip())
                return {name: value.strip() for name, _, value in pairs}
    raise DebError(f"{deb}: the package has no control file")


def unpack(deb: Path, folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> int:
    """Unpack regular files; links, devices and what else a tar can hold are left out.

    The files are unpacked beside ``folder``, which takes their place when all are there; one that is there
    already is left as it is.

    Args:
        deb: the package.
        folder: where to.
        wanted: told a file's path in the package, such as ``usr/share/doc/a-game/copyright``; whether to unpack it.

    Returns:
        How many files lie in ``folder``.

    Raises:
        DebError: if the package cannot be read or holds a name that leads outside the folder.
    """
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _tar_of(deb, "data") as tar:
            files = files_of_tar(tar, str(deb), deb.stat().st_size, LIMITS)
            write_files(files, str(deb), folder, lambda name: name if wanted(name) else None)
    return sum(path.is_file() for path in folder.rglob("*"))


def read_files(deb: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Read regular files of a package; nothing is written to disk.

    Args:
        deb: the package.
        wanted: takes a file's path in the package and returns whether to read it.

    Returns:
        Contents by path, in the package's order.

    Raises:
        DebError: if the package cannot be read or holds a name that leads outside its folder.
    """
    with _tar_of(deb, "data") as tar:
        files = files_of_tar(tar, str(deb), deb.stat().st_size, LIMITS)
        return {file.name: read_member(str(deb), file) for file in files if wanted(file.name)}


@contextmanager
def _tar_of(deb: Path, part: str) -> Iterator[tarfile.TarFile]:
    """One of a package's two tars, ``control`` or ``data``, as a stream."""
    program = shutil.which("dpkg-deb")
    try:
        if program:
            with _piped_tar(program, deb, part) as tar:
                yield tar
        else:
            with (
                open(deb, "rb") as file,
                _decompressed(deb, file, part) as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                yield tar
    except ArchiveError as error:
        raise DebError(str(error)) from None
    except (tarfile.TarError, lzma.LZMAError, EOFError, gzip.BadGzipFile) as error:
        raise DebError(f"{deb}: not a readable Debian package ({error})") from None


@contextmanager
def _piped_tar(program: str, deb: Path, part: str) -> Iterator[tarfile.TarFile]:
    """A tar out of ``dpkg-deb``."""
    option = "--ctrl-tarfile" if part == "control" else "--fsys-tarfile"
    with subprocess.Popen([program, option, str(deb)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            raise DebError(f"{deb}: {program} gave nothing to read")
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield tar
            while process.stdout.read(1 << 16):
                pass
            # A tar cut between two members looks whole: only the exit code tells.
            if process.wait() != 0:
                raise tarfile.ReadError("the archive ends too early")
        except tarfile.TarError as error:
            process.stdout.close()
            said = " ".join(process.stderr.read().decode("utf-8", "replace").split())
            raise DebError(f"{deb}: not a readable Debian package ({said or error})") from None
        finally:
            process.kill()


def _decompressed(deb: Path, file: IO[bytes], part: str) -> IO[bytes]:
    """One of a package's two tars, decompressed as it is read."""
    for name, size in _ar_members(deb, file):
        if not name.startswith(f"{part}.tar"):
            continue
        stream = io.BufferedReader(_Slice(file, size), 1 << 16)
        match name.removeprefix(f"{part}.tar"):
            case "":
                return stream
            case ".xz" | ".lzma":
                return lzma.LZMAFile(stream)
            case ".gz":
                return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
            case ".bz2":
                return bz2.BZ2File(stream)
            case other:
                raise DebError(f"{deb}: compressed as {other}, which needs dpkg-deb installed")
    raise DebError(f"{deb}: not a Debian package, it has no {part}.tar")


def _ar_members(deb: Path, file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Names and sizes; the file stands at a member's beginning when that is given."""
    if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
        raise DebError(f"{deb}: not a Debian package, expected an ar archive")
    while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
        try:
            name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        except ValueError:
            raise DebError(f"{deb}: not a readable ar archive") from None
        beginning = file.tell()
        yield name, size
        file.seek(beginning + size + size % 2)
