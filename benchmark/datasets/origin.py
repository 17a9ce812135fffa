"""A labelled set's public original, and how the set is built from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.labelled_tar import OriginalClip, write_set
from benchmark.datasets.origin_speech import Wanted
from benchmark.datasets.selection import selection
from byola_hear.utils.download import Remote, download


@dataclass(frozen=True)
class Origin:
    """The original of a labelled set.

    Attributes:
        name: the set's name.
        title: title of the original.
        licence: licence of its audio.
        page: address of its description.
        archive: the file to download.
        read: takes the archive's path and the wanted clips with their splits, and yields the clips.
        columns: the manifest's columns, in order.
        selected: whether the set is a selection; otherwise it has all clips, in the order of their names.
        longest_s: seconds after which clips are cut; None for no limit.
        parts: more files of the original, downloaded into the archive's folder.
        further: a second file to download; None if there is none.
        ratings: takes the paths of the archive and the second file, and returns the set's files of listeners' ratings
            by name; None if there are no ratings.
    """

    name: str
    title: str
    licence: str
    page: str
    archive: Remote
    read: Callable[[Path, Wanted], Iterator[OriginalClip]]
    columns: tuple[str, ...]
    selected: bool = True
    longest_s: float | None = None
    parts: tuple[Remote, ...] = ()
    further: Remote | None = None
    ratings: Callable[[Path, Path | None], dict[str, bytes]] | None = None

    @property
    def checked(self) -> str:
        """What the download is compared with, in one line."""
        if self.archive.checksum is not None:
            return f"{self.archive.checksum.partition(':')[0]} stated by {self.archive.stated_by}"
        return "no published hash: the hash of the first download is kept and checked from then on"


def build_set(
    origin: Origin, folder: Path, downloads: Path, archive: Path | None = None, progress: bool = False
) -> int:
    """Build a labelled set from its original.

    Args:
        origin: the original.
        folder: where ``NAME.tar`` is written; an existing file is replaced.
        downloads: where the original is downloaded to and kept.
        archive: the original's archive, if it has been downloaded already. Its hash is not checked.
        progress: show bars on stderr.

    Returns:
        Number of clips.

    Raises:
        ValueError: if the original can't be downloaded, is not the expected file, is unsafe to unpack or lacks a clip.
            Nothing is written in that case.
        FileNotFoundError: if ``archive`` is named and does not exist.
    """
    if archive is None:
        archive = download(origin.archive, downloads, progress)
    elif not archive.is_file():
        raise FileNotFoundError(f"expected the archive of {origin.name} at {archive}, found no file")
    for part in origin.parts:
        if not archive.with_name(part.file).is_file():
            download(part, archive.parent, progress)
    further = None
    if origin.further is not None:
        # Next to an archive that was named, or downloaded.
        beside = archive.with_name(origin.further.file)
        further = beside if beside.is_file() else download(origin.further, downloads, progress)
    wanted = selection(origin.name) if origin.selected else {}
    return write_set(
        folder / f"{origin.name}.tar",
        origin.read(archive, wanted),
        origin.columns,
        wanted if origin.selected else None,
        origin.longest_s,
        progress,
        {} if origin.ratings is None else origin.ratings(archive, further),
    )


def from_mirror(origin: Origin, url: str) -> Origin:
    """The same original, downloaded from another address."""
    return dataclasses.replace(origin, archive=dataclasses.replace(origin.archive, urls=(url,)))
