"""Read the control fields of a Debian package and unpack its files, without root.

A .deb is an ``ar`` archive of two tars. ``dpkg-deb`` opens the outer layer if it is installed. Otherwise Python does,
for the compressions in its standard library. Both give the same tar stream.
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
from byola_hear.utils.text import one_line
from byola_hear.utils.unpack import read_member, write_files

#: A game's data may be one file of some gigabytes.
LIMITS = Limits(total_bytes=64 << 30, member_bytes=16 << 30)

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60


class DebError(ValueError):
    """A package can't be read, or is unsafe to unpack. The message names it."""


class _Slice(io.RawIOBase):
    """The next bytes of an open file, as a file."""

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
    """Read the first line of each field of a package's control file, for instance ``Version``.

    Raises:
        DebError: if the package can't be read.
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
    """Unpack the regular files of a package. Links, devices and other members are left out.

    The folder appears when all files are unpacked. If it exists already, nothing is unpacked.

    Args:
        deb: path of the package.
        folder: folder to unpack into.
        wanted: says whether to unpack a file, given its path in the package, for instance
            ``usr/share/doc/a-game/copyright``.

    Returns:
        Number of files in the folder.

    Raises:
        DebError: if the package can't be read or contains a path that leads outside the folder.
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
        DebError: if the package can't be read or contains a path that leads outside the folder.
    """
    with _tar_of(deb, "data") as tar:
        files = files_of_tar(tar, str(deb), deb.stat().st_size, LIMITS)
        return {file.name: read_member(str(deb), file) for file in files if wanted(file.name)}


@contextmanager
def _tar_of(deb: Path, part: str) -> Iterator[tarfile.TarFile]:
    """Open one of the two tars of a package, ``control`` or ``data``, as a stream."""
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
    """Open a tar that ``dpkg-deb`` writes into a pipe."""
    option = "--ctrl-tarfile" if part == "control" else "--fsys-tarfile"
    with subprocess.Popen([program, option, str(deb)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            raise DebError(f"{deb}: no output from {program}")
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield tar
            while process.stdout.read(1 << 16):
                pass
            # A tar that is cut between two members looks complete. Only the exit code reveals it.
            if process.wait() != 0:
                raise tarfile.ReadError("the archive ends too early")
        except tarfile.TarError as error:
            process.stdout.close()
            message = one_line(process.stderr.read().decode("utf-8", "replace"))
            raise DebError(f"{deb}: not a readable Debian package ({message or error})") from None
        finally:
            process.kill()


def _decompressed(deb: Path, file: IO[bytes], part: str) -> IO[bytes]:
    """Open one of the two tars of a package without ``dpkg-deb``, decompressed as it is read."""
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
                raise DebError(f"{deb}: the compression {other} needs dpkg-deb; install dpkg")
    raise DebError(f"{deb}: not a Debian package: it has no {part}.tar")


def _ar_members(deb: Path, file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Yield the name and size of each member. The file is then at the member's beginning."""
    if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
        raise DebError(f"{deb}: not a Debian package: expected an ar archive")
    while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
        try:
            name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        except ValueError:
            raise DebError(f"{deb}: not a readable ar archive") from None
        beginning = file.tell()
        yield name, size
        file.seek(beginning + size + size % 2)
