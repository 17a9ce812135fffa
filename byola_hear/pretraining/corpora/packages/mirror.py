"""Download the index of packages, and packages, from a Debian mirror.

A mirror serves machines without ``apt-get``, and packages that the release of the machine does not contain.
"""

from __future__ import annotations

import lzma
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from byola_hear.utils.download import download
from byola_hear.utils.files import Stamp, exclusive, stamp_of
from byola_hear.utils.remote import Remote

#: Address of the default mirror.
DEFAULT_MIRROR = "https://deb.debian.org/debian"
#: Debian release that the catalogue was made for.
DEFAULT_SUITE = "bookworm"


class MirrorError(ValueError):
    """An index of packages can't be read, or does not list a package. The message names the mirror."""


@dataclass(frozen=True)
class IndexEntry:
    """An entry of the index: a package's version, path below the mirror's address, size in bytes, and SHA-256."""

    name: str
    version: str
    filename: str
    size: int
    sha256: str


def read_index(mirror: str, suite: str, folder: Path, renewed: bool = False) -> dict[str, IndexEntry]:
    """Read the index of the packages in ``main`` of a release. It is downloaded once.

    Args:
        mirror: address of the mirror, for instance ``https://deb.debian.org/debian``.
        suite: name of the release, for instance ``bookworm``.
        folder: folder that keeps the index. If several processes need the index at once, one downloads it.
        renewed: whether to download it again.

    Returns:
        The entry of each package; of several versions, the last one listed.

    Raises:
        DownloadError: if the index can't be downloaded.
        MirrorError: if it can't be read.
    """
    kept = folder / f"Packages-{suite}.xz"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / f".{kept.name}.lock"):
        if renewed or not kept.exists():
            _download_index(f"{mirror.rstrip('/')}/dists/{suite}/main/binary-amd64/Packages.xz", kept)
        try:
            return _read(kept, stamp_of(str(kept)))
        except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
            kept.unlink()
            raise MirrorError(f"{mirror}: not a readable index of packages ({error})") from None


def _download_index(address: str, kept: Path) -> None:
    """Download an index. The old one stays until the new one is complete."""
    new = kept.with_name(f"{kept.name}.new")
    new.unlink(missing_ok=True)
    os.replace(download(Remote(new.name, (address,), noted=False), kept.parent), kept)


@lru_cache(maxsize=1)
def _read(index: Path, stamp: Stamp) -> dict[str, IndexEntry]:
    """Read the entries of an index. The 60 000 of Debian take seconds, so they are kept while the file is the same."""
    with lzma.open(index, "rt", encoding="utf-8") as file:
        return {entry.name: entry for entry in _entries(file)}


def _entries(lines: Iterator[str]) -> Iterator[IndexEntry]:
    """Parse the stanzas of packages."""
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
    """Download a package, or continue an interrupted download.

    Args:
        mirror: address of the mirror.
        entry: entry of the package in the mirror's index.
        folder: folder for the package.

    Returns:
        Path of the file, which has the same name as on the mirror.

    Raises:
        Missing: if the mirror does not have the file.
        DownloadError: if it can't be downloaded, or its size or hash is not that of the index; nothing is kept then.
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
