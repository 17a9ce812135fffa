"""A Debian mirror over HTTP: its index of packages, and its packages.

Used where there is no ``apt-get``, and for packages that the machine's own release does not carry.
"""

from __future__ import annotations

import lzma
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from byola_hear.utils.download import download
from byola_hear.utils.files import Stamp, locked, stamp_of
from byola_hear.utils.remote import Remote

#: Where packages come from unless another mirror is named.
DEFAULT_MIRROR = "https://deb.debian.org/debian"
#: The release that the catalogue was made with.
DEFAULT_SUITE = "bookworm"


class MirrorError(ValueError):
    """An index of packages that can't be read, or lacks one; the message names the mirror."""


@dataclass(frozen=True)
class IndexEntry:
    """What a mirror's index says of a package: its version, address below the mirror, size in bytes, SHA-256."""

    name: str
    version: str
    filename: str
    size: int
    sha256: str


def read_index(mirror: str, suite: str, folder: Path, renewed: bool = False) -> dict[str, IndexEntry]:
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
        DownloadError: if the index cannot be had.
        MirrorError: if it cannot be read.
    """
    kept = folder / f"Packages-{suite}.xz"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f".{kept.name}.lock", "w") as lock:
        while not locked(lock):
            time.sleep(0.1)
        if renewed or not kept.exists():
            _bring_index(f"{mirror.rstrip('/')}/dists/{suite}/main/binary-amd64/Packages.xz", kept)
        try:
            return _read(kept, stamp_of(str(kept)))
        except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
            kept.unlink()
            raise MirrorError(f"{mirror}: not a readable index of packages ({error})") from None


def _bring_index(address: str, kept: Path) -> None:
    """Download an index, which changes at its address; the old one stays until the new one is whole."""
    new = kept.with_name(f"{kept.name}.new")
    new.unlink(missing_ok=True)
    os.replace(download(Remote(new.name, (address,), noted=False), kept.parent), kept)


@lru_cache(maxsize=1)
def _read(index: Path, stamp: Stamp) -> dict[str, IndexEntry]:
    """The entries of an index as it is now; reading the 60000 of Debian's takes seconds."""
    with lzma.open(index, "rt", encoding="utf-8") as file:
        return {entry.name: entry for entry in _entries(file)}


def _entries(lines: Iterator[str]) -> Iterator[IndexEntry]:
    """The stanzas that name a file."""
    wanted = ("Package", "Version", "Filename", "Size", "SHA256")
    fields: dict[str, str] = {}

    def complete() -> Iterator[IndexEntry]:
        if all(name in fields for name in wanted):
            name, version, filename, size, sha256 = (fields[name] for name in wanted)
            yield IndexEntry(name, version, filename, int(size), sha256.lower())
        fields.clear()

    for line in lines:
        if line.strip():
            name, _, value = line.partition(":")
            if name in wanted:
                fields[name] = value.strip()
        else:
            yield from complete()
    yield from complete()


def download_package(mirror: str, entry: IndexEntry, folder: Path) -> Path:
    """Download a package; what an interrupted download left is used.

    Args:
        mirror: address.
        entry: of the package in that mirror's index.
        folder: where to.

    Returns:
        The file, under the name that it has on the mirror.

    Raises:
        Missing: if the mirror has no such file.
        DownloadError: if it cannot be had, or is not what the index promised; nothing is kept then.
    """
    remote = Remote(
        entry.filename.rpartition("/")[2],
        (f"{mirror.rstrip('/')}/{entry.filename}",),
        f"sha256:{entry.sha256}",
        stated_by="the mirror's index",
        size=entry.size,
        limit=entry.size,
        noted=False,
    )
    return download(remote, folder)
