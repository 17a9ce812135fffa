"""Description and verification of files to download."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 18


class DownloadError(ValueError):
    """A file is not available or not the expected one; the message names the address and what to do."""


class Mismatch(DownloadError):
    """A complete file that is not the expected one."""


class Missing(DownloadError):
    """The server responds, but does not have the file or refuses it."""


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Attributes:
        file: name on disk.
        urls: addresses, http or https. They are tried in order.
        checksum: published checksum, ``sha256:…`` or ``md5:…`` in hexadecimal; None if there is none. In that case,
            later downloads are compared with the hash of the first one, if ``noted``.
        stated_by: publisher of the checksum.
        size: size in bytes, if known.
        limit: largest accepted size, bytes.
        noted: whether to save the hash next to the file, in the form of ``sha256sum``. Not for files that change.
    """

    file: str
    urls: tuple[str, ...]
    checksum: str | None = None
    stated_by: str = ""
    size: int | None = None
    limit: int = 4 << 30
    noted: bool = True


def check(remote: Remote) -> None:
    """Check a description.

    Raises:
        DownloadError: if the file can't be downloaded as described.
    """
    if not re.fullmatch(r"[^/\\\x00-\x1f]+", remote.file) or remote.file in (".", ".."):
        raise DownloadError(f"expected the name of a file, got {remote.file!r}")
    for url in remote.urls:
        if not url.startswith(("https://", "http://")):
            raise DownloadError(f"expected an address that begins with https:// or http://, got {url!r}")
    if not remote.urls:
        raise DownloadError(f"{remote.file}: expected at least one address, got none")
    if remote.checksum is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", remote.checksum):
        raise DownloadError(f"{remote.file}: expected a checksum sha256:HEX or md5:HEX, got {remote.checksum!r}")


def verify(remote: Remote, target: Path, path: Path) -> None:
    """Compare a file with its published checksum or with the first download, and save its hash if ``remote.noted``.

    Args:
        remote: the expected file.
        target: final path of the file.
        path: current path of the file.

    Raises:
        Mismatch: if it is not the expected file.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            if remote.checksum is not None and remote.checksum.startswith("md5:"):
                md5.update(block)
    record = target.with_name(target.name + ".sha256")
    found = {"sha256": sha256.hexdigest(), "md5": md5.hexdigest()}
    size = path.stat().st_size
    again = f"; delete {target} to download it again" if path == target else ""
    if remote.size is not None and size != remote.size:
        raise Mismatch(f"{path}: expected {remote.size} bytes, found {size}{again}")
    if remote.checksum is not None:
        kind, _, expected = remote.checksum.partition(":")
        by = f" as {remote.stated_by} states" if remote.stated_by else ""
        if found[kind] != expected:
            raise Mismatch(f"{path}: expected {kind} {expected}{by}, found {found[kind]}{again}")
    elif remote.noted and record.is_file():
        first = record.read_text().split(maxsplit=1)[:1]
        if first != [found["sha256"]]:
            raise Mismatch(
                f"{path}: expected sha256 {first[0] if first else ''}, that of the first download, found "
                f"{found['sha256']}{again}; if the publisher has a new version, delete {record} too"
            )
    if not remote.noted:
        return
    line = f"{found['sha256']}  {target.name}\n"
    if not record.is_file() or record.read_text() != line:
        temporary = record.with_name(record.name + ".tmp")
        temporary.write_text(line)
        os.replace(temporary, record)
