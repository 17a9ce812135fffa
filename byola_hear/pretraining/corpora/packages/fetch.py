"""Fetch a Debian package with ``apt-get download``, or from a mirror over HTTPS."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from byola_hear.pretraining.corpora.packages.mirror import (
    DEFAULT_MIRROR,
    DEFAULT_SUITE,
    MirrorError,
    download_package,
    read_index,
)
from byola_hear.utils.download import DownloadError, Missing

#: Methods of fetching: apt-get first and then the mirror, or one of them alone.
METHODS = ("auto", "apt", "mirror")


class FetchError(ValueError):
    """A package could not be fetched. The message names it and gives the reason."""


@dataclass(frozen=True)
class PackageOrigin:
    """Where packages come from.

    Attributes:
        method: ``apt``, ``mirror``, or ``auto`` for apt-get and then, if it fails, the mirror.
        mirror: address of the mirror.
        suite: Debian release on the mirror.
    """

    method: str = "auto"
    mirror: str = DEFAULT_MIRROR
    suite: str = DEFAULT_SUITE

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"expected one of {', '.join(METHODS)}, got {self.method!r}")


def fetched(name: str, folder: Path) -> Path | None:
    """Find a package that is already in a folder; None if it is not there."""
    return next(iter(sorted(folder.glob(f"{name}_*.deb"))), None)


def fetch(name: str, folder: Path, origin: PackageOrigin) -> Path:
    """Fetch a package into a folder, unless it is there already. Both methods verify its hash.

    Args:
        name: name of the Debian package.
        folder: folder for the package. It is created.
        origin: where packages come from.

    Returns:
        Path of the file.

    Raises:
        FetchError: if there is no such package, no network, or the hash is wrong.
    """
    present = fetched(name, folder)
    if present is not None:
        return present
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    if origin.method != "mirror":
        try:
            return _by_apt(name, folder)
        except FetchError as error:
            reasons.append(str(error))
    if origin.method != "apt":
        try:
            return _by_mirror(name, folder, origin)
        except (DownloadError, MirrorError, OSError) as error:
            reasons.append(str(error))
    raise FetchError(f"{name}: {'; '.join(reasons)}")


def _by_apt(name: str, folder: Path) -> Path:
    program = shutil.which("apt-get")
    if program is None:
        raise FetchError("apt-get is not installed")
    # It is moved afterwards, so that every package in `folder` is complete.
    with tempfile.TemporaryDirectory(prefix=".apt-", dir=folder) as temporary:
        done = subprocess.run([program, "download", "-q", name], cwd=temporary, capture_output=True)
        files = list(Path(temporary).glob("*.deb"))
        if done.returncode != 0 or len(files) != 1:
            lines = done.stderr.decode("utf-8", "replace").splitlines()
            message = " ".join(line.removeprefix("E: ") for line in lines if line.startswith("E: "))
            raise FetchError(f"apt-get: {message or 'no file was downloaded'} (try `apt-get update`)")
        target = folder / files[0].name
        os.replace(files[0], target)
    return target


def _by_mirror(name: str, folder: Path, origin: PackageOrigin) -> Path:
    entry = read_index(origin.mirror, origin.suite, folder).get(name)
    if entry is None:
        raise MirrorError(f"{origin.mirror} has no such package in {origin.suite}")
    try:
        return download_package(origin.mirror, entry, folder)
    except Missing:
        # The mirror may have replaced it by a newer version since the index was downloaded.
        newer = read_index(origin.mirror, origin.suite, folder, renewed=True).get(name)
        if newer is None or newer == entry:
            raise
        return download_package(origin.mirror, newer, folder)
