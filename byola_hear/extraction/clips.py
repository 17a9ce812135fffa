"""What is to be embedded: stretches of files, and how to find them in folders, patterns, lists and tables.

The same arguments give the same clips in the same order on every machine that sees the same files, so that machines
can share them without a word to each other: :func:`shard`. In folders, a machine with ffmpeg sees more of them than one
without: have it on all or on none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import BinaryIO

from byola_hear.audio.reading import audio_suffixes
from byola_hear.extraction.folders import OnMissing, files_of, plain, suffix_of
from byola_hear.extraction.segment_table import read_segments
from byola_hear.utils.files import readable

#: Bytes that are in no text: control characters but for NUL, tab and line breaks.
_NO_TEXT = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")
#: Bytes that no path has, on any system.
_LONGEST_PATH = 1 << 16


@dataclass(frozen=True)
class Clip:
    """A stretch of a file; the whole file if nothing else is said.

    Attributes:
        file: the file's path, as it will stand in the table.
        start: where the stretch begins, s.
        end: where it ends, s; None for the file's end.
    """

    file: str
    start: float = 0.0
    end: float | None = None


def find_clips(
    paths: Iterable[str | os.PathLike[str]] = (),
    *,
    segments: str | os.PathLike[str] | None = None,
    lists: Iterable[str | os.PathLike[str] | BinaryIO] = (),
    on_missing: OnMissing | None = None,
) -> list[Clip]:
    """The clips that files, folders, patterns, lists and a table of segments stand for.

    - A file is taken whatever its name.
    - Of a folder, the files below it whose names are audio's (:func:`byola_hear.audio.audio_suffixes`), sorted;
      names that begin with a dot are passed over. Links are followed, but not into a folder that they are in.
    - A pattern that is not a file's name is what a shell would make of it; ``**`` is any number of folders, and
      at the end the audio files in them.
    - A list is a text file of such paths, relative to the working directory, one a line or with NUL between them
      (``find -print0``); empty lines don't count. What has an audio file's name is taken for one without looking,
      as a look at a million files takes long over a network; one that is missing is noticed when it is read.
    - A table of segments is a CSV file, see :func:`byola_hear.extraction.segment_table.read_segments`.

    Args:
        paths: files, folders and patterns.
        segments: a table of segments.
        lists: text files, or streams of bytes such as ``sys.stdin.buffer``.
        on_missing: called with a path that was asked for and is not there, is a folder that can't be read or has no
            audio files, or a pattern that nothing matches, and the reason in words; None to raise at the first.

    Returns:
        The clips of ``paths``, then of ``lists``, then of ``segments``; none twice.

    Raises:
        FileNotFoundError: if a list or the table of segments is not there, or what ``on_missing`` is called with.
        ValueError: if the table of segments is none, or what ``on_missing`` is called with is there.
    """
    suffixes = audio_suffixes()
    report = on_missing or _raise
    clips: dict[Clip, None] = {}
    for path in paths:
        clips.update((Clip(file), None) for file in files_of(os.fspath(path), suffixes, report))
    for listed in lists:
        for path in read_list(listed):
            if suffix_of(path) in suffixes and not has_magic(path):
                clips[Clip(plain(path))] = None
            else:
                clips.update((Clip(file), None) for file in files_of(path, suffixes, report))
    if segments is not None:
        clips.update((Clip(*segment), None) for segment in read_segments(segments))
    return list(clips)


def audio_files(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files that paths stand for, all of which have to be there; see :func:`find_clips`.

    Args:
        paths: files, folders and patterns.

    Returns:
        Files in the order given, those of a folder sorted; none twice.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if a folder holds no audio file.
    """
    return [Path(clip.file) for clip in find_clips(paths)]


def read_list(source: str | os.PathLike[str] | BinaryIO) -> list[str]:
    """The paths in a list, see :func:`find_clips`; names that are not text in UTF-8 stay what they are.

    Args:
        source: a text file, or a stream of bytes.

    Returns:
        Its paths, without empty ones.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it can't be read.
        ValueError: if it is a folder, or something else than text.
    """
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else "standard input"
    if isinstance(source, str | os.PathLike):
        with readable(source, "list"):
            content = Path(source).read_bytes()
    else:
        content = source.read()
    content = content.removeprefix(b"\xef\xbb\xbf")
    separated = [line for line in (content.split(b"\0") if b"\0" in content else content.splitlines()) if line.strip()]
    # Names may hold such bytes, but hardly ever do; if not a single such file is there, these are no names.
    strange = [line for line in separated if _NO_TEXT.search(line)] if _NO_TEXT.search(content) else []
    if strange and not any(len(line) < _LONGEST_PATH and os.path.lexists(os.fsdecode(line)) for line in strange):
        raise ValueError(f"expected a text file of paths as the list, got something else: {name}")
    return [os.fsdecode(line) for line in separated]


def shard(clips: Sequence[Clip], index: int, count: int) -> list[Clip]:
    """One of the disjoint shares of all clips: every ``count``-th, from the ``index``-th on.

    The shares of 0 to ``count - 1`` together are all clips, and no two differ by more than one in number.

    Args:
        clips: all of them, the same and in the same order for every share.
        index: which share, from 0 on.
        count: how many shares there are.

    Returns:
        The share's clips.

    Raises:
        ValueError: unless ``0 <= index < count``.

    Example:
        >>> [clip.file for clip in shard([Clip(name) for name in "abcde"], 1, 2)]
        ['b', 'd']
    """
    if not 0 <= index < count:
        raise ValueError(f"expected a share from 0 to {count - 1} of {count}, got {index}")
    return list(clips[index::count])


def parse_shard(text: str) -> tuple[int, int]:
    """A share as it is written: ``i/n``, the ``i``-th of ``n``, from 0 on, as a Slurm array of ``0-(n-1)`` counts.

    Args:
        text: ``"0/4"`` to ``"3/4"``.

    Returns:
        index and count for :func:`shard`.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> parse_shard("3/4")
        (3, 4)
    """
    matched = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    index, count = map(int, matched.groups()) if matched else (0, 0)
    if not index < count:
        raise ValueError(f"expected a share i/n with i from 0 to n - 1, such as 0/4 to 3/4, got {text!r}")
    return index, count


def _raise(path: str, reason: str) -> None:
    raise (ValueError if os.path.lexists(path) else FileNotFoundError)(f"{reason}: {path}")
