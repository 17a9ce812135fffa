"""A Debian mirror over HTTP: its index of packages, and downloads that resume and are verified.

Used where there is no ``apt-get``, and for packages that the machine's own release does not carry.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path

from byola_hear.files import Stamp, locked, stamp_of

#: Where packages come from unless another mirror is named.
DEFAULT_MIRROR = "https://deb.debian.org/debian"
#: The release that the catalogue was made with.
DEFAULT_SUITE = "bookworm"

_TIMEOUT_S = 60
_ATTEMPTS = 4
_BLOCK = 1 << 18


class MirrorError(ValueError):
    """A download that failed or isn't what the index promised; the message names the address."""


class NotOnMirror(MirrorError):
    """The mirror answers, but has no such file."""


@dataclass(frozen=True)
class Entry:
    """What a mirror's index says of a package: its version, address below the mirror, size in bytes, SHA-256."""

    name: str
    version: str
    filename: str
    size: int
    sha256: str


def read_index(mirror: str, suite: str, folder: Path, renewed: bool = False) -> dict[str, Entry]:
    """The packages of a release: main, those for all architectures among them.

    Args:
        mirror: address, such as ``https://deb.debian.org/debian``.
        suite: of the release, such as ``bookworm``.
        folder: keeps the index, so that a second call needs no network. Of processes that want it at once, one gets
            it.
        renewed: whether it is to be got again.

    Returns:
        Package name → entry; the last one listed where there are several versions.

    Raises:
        MirrorError: if the index cannot be had or read.
    """
    kept = folder / f"Packages-{suite}.xz"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f".{kept.name}.lock", "w") as lock:
        while not locked(lock):
            time.sleep(0.1)
        if renewed or not kept.exists():
            download(f"{mirror.rstrip('/')}/dists/{suite}/main/binary-amd64/Packages.xz", kept)
        try:
            return _read(kept, stamp_of(str(kept)))
        except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
            kept.unlink()
            raise MirrorError(f"{mirror}: not a readable index of packages ({error})") from None


@lru_cache(maxsize=1)
def _read(index: Path, stamp: Stamp) -> dict[str, Entry]:
    """The entries of an index as it is now; reading the 60000 of Debian's takes seconds."""
    with lzma.open(index, "rt", encoding="utf-8") as file:
        return {entry.name: entry for entry in _entries(file)}


def _entries(lines: Iterator[str]) -> Iterator[Entry]:
    """The stanzas that name a file."""
    wanted = ("Package", "Version", "Filename", "Size", "SHA256")
    fields: dict[str, str] = {}

    def complete() -> Iterator[Entry]:
        if all(name in fields for name in wanted):
            name, version, filename, size, sha256 = (fields[name] for name in wanted)
            yield Entry(name, version, filename, int(size), sha256.lower())
        fields.clear()

    for line in lines:
        if line.strip():
            name, _, value = line.partition(":")
            if name in wanted:
                fields[name] = value.strip()
        else:
            yield from complete()
    yield from complete()


def download_package(mirror: str, entry: Entry, folder: Path) -> Path:
    """Download a package; what an interrupted download left is used.

    Args:
        mirror: address.
        entry: of the package in that mirror's index.
        folder: where to.

    Returns:
        The file, under the name that it has on the mirror.

    Raises:
        MirrorError: if it cannot be had, or is not what the index promised; nothing is kept then.
    """
    target = folder / entry.filename.rpartition("/")[2]
    download(f"{mirror.rstrip('/')}/{entry.filename}", target, entry.size, entry.sha256)
    return target


def download(address: str, target: Path, size: int | None = None, sha256: str | None = None) -> None:
    """Download a file, whole or not at all; what an earlier attempt left in ``TARGET.partial`` is continued.

    Args:
        address: http or https.
        target: file to write.
        size: expected, bytes.
        sha256: expected, hexadecimal.

    Raises:
        NotOnMirror: if there is no such file.
        MirrorError: if it cannot be had after several attempts, or has another size or hash.
    """
    if not address.startswith(("https://", "http://")):
        raise MirrorError(f"expected an address that begins with https:// or http://, got {address!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    for attempt in range(_ATTEMPTS):
        try:
            _continue(address, partial)
            break
        except urllib.error.HTTPError as error:
            if error.code in (403, 404, 410):
                raise NotOnMirror(f"{address}: {error.code} {error.reason}") from None
            reason = f"{error.code} {error.reason}"
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
        if attempt + 1 == _ATTEMPTS:
            raise MirrorError(f"{address}: {reason}; the same command continues the download")
        time.sleep(0.5 * 2**attempt)
    _verify(address, partial, size, sha256)
    os.replace(partial, target)


def _continue(address: str, partial: Path) -> None:
    """Fetch what is missing of a file."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "byola_hear", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        response = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        # Nothing is missing, or what is there is longer than the file: the hash will tell which.
        if error.code == 416 and have:
            return
        raise
    with response, open(partial, "ab" if response.status == 206 else "wb") as file:
        expected = int(response.headers.get("Content-Length") or -1)
        received = 0
        while block := response.read(_BLOCK):
            file.write(block)
            received += len(block)
    if 0 <= expected != received:
        raise ConnectionError(f"the connection ended after {received} of {expected} bytes")


def _verify(address: str, partial: Path, size: int | None, sha256: str | None) -> None:
    """Compare with what was promised; what differs is deleted."""
    have = partial.stat().st_size
    if size is not None and have != size:
        partial.unlink()
        raise MirrorError(f"{address}: expected {size} bytes, got {have}")
    if sha256 is not None:
        with open(partial, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != sha256.lower():
            partial.unlink()
            raise MirrorError(f"{address}: expected SHA-256 {sha256}, got {digest.hexdigest()}")
