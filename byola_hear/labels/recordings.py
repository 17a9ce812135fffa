"""The recordings that a label file is about: found by the path in the file, or by the name of the file."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path, PurePath, PureWindowsPath

from byola_hear.audio.folders import files_of, plain, suffix_of
from byola_hear.audio.reading import audio_suffixes, open_source
from byola_hear.utils.text import one_spelling, same_anywhere

#: Containers whose headers only estimate how long the recording is.
_ESTIMATES = ("MP3", "OGG")
#: What programs put between a recording's name and the ending of a label file, in lower case.
_ENDINGS = frozenset(
    ("table", "selections", "selection", "birdnet", "results", "labels", "label", "annotations", "annotation")
)


@dataclass(frozen=True)
class Header:
    """What the header of a recording says.

    Attributes:
        seconds: the duration; None if the header does not say exactly.
        sample_rate: Hz.
        channels: number of channels.
    """

    seconds: float | None
    sample_rate: int
    channels: int


@lru_cache(4096)
def _header(file: str, stamp: tuple[int, int]) -> Header | None:
    try:
        with closing(open_source(file)) as source:
            exact = source.frames and source.container not in _ESTIMATES
            seconds = source.frames / source.sample_rate if source.frames and exact else None
            return Header(seconds, source.sample_rate, source.channels)
    except (ValueError, OSError):
        return None


def header_of(file: str) -> Header | None:
    """Read the header of a recording; None if it is missing or can't be read."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return _header(file, (status.st_size, status.st_mtime_ns))


def seconds_of_recording(file: str) -> float | None:
    """Find out how long a recording is, by decoding it if its header does not say so; None if it can't be read."""
    header = header_of(file)
    if header is None or header.seconds is not None:
        return None if header is None else header.seconds
    try:
        with closing(open_source(file)) as source:
            return sum(len(piece) for piece in source.pieces()) / source.sample_rate
    except (ValueError, OSError):
        return None


class Recordings:
    """Finds recordings for label files.

    Args:
        place: a folder with the recordings, or the only recording; None to look next to each label file.
        required: whether a recording that a label file names must exist. If not, its path stays as it is.
    """

    def __init__(self, place: str | None = None, required: bool = True) -> None:
        self.single = place if place is not None and not os.path.isdir(place) else None
        self.folder = place if self.single is None else None
        self.required = required
        self._indices: dict[str, dict[str, list[str]]] = {}
        self._found: dict[tuple[str, str], str] = {}
        self._moved: dict[str, str] = {}
        if self.single is not None and required and not os.path.exists(self.single):
            raise FileNotFoundError(f"no such recording, and no such folder of recordings: {self.single}")

    def named(self, name: str, where: str, folder: Path) -> str:
        """Find the recording at a path in a label file.

        The path may be from another system. In this order, the recording is the file at the path from the working
        directory, or from the label file's folder. If neither exists, folders are taken off the path's front, and the
        rest is looked up in the label file's folder and in the folder of the recordings. Accents may be letters in one
        of the two names and follow a letter in the other.

        Args:
            name: the path.
            where: the label file and the line, for the message.
            folder: the folder of the label file.

        Returns:
            The recording's path.

        Raises:
            FileNotFoundError: if there is no such recording, and it is required.
            ValueError: if two paths lead to the same recording after folders were taken off.
        """
        key = (name, str(folder))
        if key not in self._found:
            self._found[key] = self._locate(name, where, folder)
        return self._found[key]

    def _locate(self, name: str, where: str, folder: Path) -> str:
        for spelling in _spellings(name):
            if os.path.lexists(spelling):
                return plain(spelling)
            if not os.path.isabs(spelling) and (folder / spelling).exists():
                return str(folder / spelling)
        # A backslash is a letter on other systems than Windows, and no program there writes one into a path.
        path = PureWindowsPath(name) if "\\" in name or PureWindowsPath(name).drive else PurePath(name)
        parts = [part for part in path.parts if part != path.anchor and part not in ("..", ".")]
        for first in range(len(parts)):
            for base in (folder, *([Path(self.folder)] if self.folder is not None else [])):
                for spelling in _spellings("/".join(parts[first:])):
                    if (found := base / spelling).exists():
                        return self._only(str(found), path.as_posix(), where)
        if parts:
            same = self._below().get(same_anywhere(parts[-1]), [])
            if len(same) == 1:
                return self._only(same[0], path.as_posix(), where)
        if self.required:
            also = f" and not in {self.folder}" if self.folder is not None else ""
            raise FileNotFoundError(f"{where}: no such recording: {name}{also}")
        return plain(name)

    def _only(self, found: str, name: str, where: str) -> str:
        other = self._moved.setdefault(found, name)
        if one_spelling(other) != one_spelling(name):
            raise ValueError(f"{where}: {found} could be {other} or {name}; keep recordings of one name in folders")
        return found

    def of(self, label_file: str) -> str:
        """Find the recording that a label file is named after: of ``x.Table.1.selections.txt``, for example, ``x.wav``.

        Of recordings of one name, it is the one whose folders are called like those of the label file, from the end on.

        Args:
            label_file: the label file. Its recording is in the same folder or in the folder of the recordings.

        Returns:
            The recording's path.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if there are several.
        """
        if self.single is not None:
            return plain(self.single)
        path = Path(label_file)
        stems = list(_stems(path.name))
        for index in (self._beside(path.parent), self._below()):
            for stem in stems:
                found = _alike(index.get(same_anywhere(stem), []), path)
                if len(found) > 1:
                    raise ValueError(f"{label_file}: its recording could be {found[0]} or {found[1]}")
                if found:
                    return plain(found[0])
        place = f"{path.parent} or {self.folder}" if self.folder is not None else f"the same folder, {path.parent}"
        raise FileNotFoundError(
            f"{label_file}: expected a recording called {stems[-1]}, such as {stems[-1]}.wav, in {place}; there is none"
        )

    def _beside(self, folder: Path) -> dict[str, list[str]]:
        """The audio files in a folder, see :func:`_by_name`."""
        if str(folder) not in self._indices:
            self._indices[str(folder)] = _by_name(str(folder / name) for name in sorted(os.listdir(folder)))
        return self._indices[str(folder)]

    def _below(self) -> dict[str, list[str]]:
        """All audio files below the folder of the recordings, see :func:`_by_name`."""
        if self.folder is None:
            return {}
        if "" not in self._indices:
            self._indices[""] = _by_name(files_of(self.folder, audio_suffixes(), lambda path, reason: None))
        return self._indices[""]


def _spellings(path: str) -> dict[str, None]:
    """A path as it is, with accents as parts of letters, with accents after letters, and without spaces around it."""
    return dict.fromkeys([path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")), path.strip()])


def _alike(files: list[str], label_file: Path) -> list[str]:
    """Of several files, those whose folders are called like most of the label file's, from the end on.

    Example:
        >>> _alike(["sites/a/day.wav", "sites/b/day.wav"], Path("found/b/day.txt"))
        ['sites/b/day.wav']
    """
    if len(files) < 2:
        return files
    wanted = Path(os.path.abspath(label_file)).parts[-2::-1]
    common = []
    for file in files:
        folders = Path(os.path.abspath(file)).parts[-2::-1]
        common.append(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(folders, wanted, strict=False))))
    return [file for file, count in zip(files, common, strict=True) if count == max(common)]


def _by_name(files: Iterable[str]) -> dict[str, list[str]]:
    """Audio files by what :func:`same_anywhere` makes of their names, with and without the ending."""
    index: dict[str, list[str]] = {}
    suffixes = audio_suffixes()
    for file in files:
        if suffix_of(file) in suffixes:
            name = same_anywhere(os.path.basename(file))
            for key in {name, os.path.splitext(name)[0]}:
                index.setdefault(key, []).append(file)
    return index


def _stems(name: str) -> list[str]:
    """What the recording of a label file may be called: the file's name without its ending, then without more.

    Example:
        >>> _stems("day.1.Table.2.selections.txt")
        ['day.1.Table.2.selections', 'day.1.Table.2', 'day.1.Table', 'day.1']
    """
    parts = name.split(".")[:-1] or [name]
    stems = [".".join(parts)]
    while len(parts) > 1:
        last = parts.pop()
        counted = last.isdecimal() and parts[-1].lower() == "table"
        if not (counted or last.lower() in _ENDINGS):
            break
        stems.append(".".join(parts))
    return stems
