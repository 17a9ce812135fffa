"""Clips to embed: files and segments of files, found in folders, patterns, lists and tables of segments.

The same arguments give the same clips in the same order on every machine that sees the same files. Machines can
therefore divide the work without communicating, see :func:`shard`. With ffmpeg, more files in a folder count as audio,
so install it on all machines or on none.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import has_magic
from numbers import Real
from pathlib import Path
from typing import BinaryIO

from byola_hear.audio.folders import OnMissing, files_of, plain, suffix_of
from byola_hear.audio.reading import audio_suffixes
from byola_hear.labels.reading import read_segments
from byola_hear.utils.files import PathLike, readable
from byola_hear.utils.text import as_utf8

#: Bytes that no text has: control characters except NUL, tab and line breaks.
_NO_TEXT = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")
#: Bytes that no path has, on any system.
_LONGEST_PATH = 1 << 16


@dataclass(frozen=True)
class Clip:
    """A segment of an audio file, or the whole file.

    Attributes:
        file: the file's path. The table names the file exactly so; a :class:`pathlib.Path` becomes a string.
        start: where the segment begins, s.
        end: where the segment ends, s; None for the file's end.

    Raises:
        TypeError: if ``file`` is not a path, or ``start`` or ``end`` is not a number.
        ValueError: unless ``0 <= start < end``, both finite.

    Example:
        >>> Clip(Path("song.wav"), 1, 2.5)
        Clip(file='song.wav', start=1.0, end=2.5)
    """

    file: str
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.file, (str, bytes, os.PathLike)):
            raise TypeError(f"expected a clip's file as a path, got {type(self.file).__name__}")
        # Plain Python values: they become JSON, and an index of a table.
        object.__setattr__(self, "file", str(os.fsdecode(self.file)))
        for name, value in (("start", self.start), ("end", self.end)):
            if isinstance(value, Real) and not isinstance(value, bool):
                object.__setattr__(self, name, float(value))
            elif name == "start" or value is not None:
                raise TypeError(f"expected a clip's {name} in seconds, got {value!r}")
        in_order = 0 <= self.start < (math.inf if self.end is None else self.end)
        if not in_order or self.end == math.inf:
            raise ValueError(
                f"expected a segment with 0 <= start < end in seconds, or end=None for the file's end, "
                f"got start={self.start!r}, end={self.end!r}: {self.file}"
            )


def find_clips(
    paths: Iterable[PathLike] = (),
    *,
    segments: PathLike | None = None,
    lists: Iterable[PathLike | BinaryIO] = (),
    on_missing: OnMissing | None = None,
) -> list[Clip]:
    """Find the clips that files, folders, patterns, lists and a table of segments name.

    - A file is taken, no matter what it is called.
    - A folder gives all audio files below it, sorted: those whose names end in one of
      :func:`byola_hear.audio.audio_suffixes`. Names that begin with a dot are skipped. Links are followed, except into
      a folder that contains them.
    - A pattern that is not a file's name gives the files that a shell would find. ``**`` matches any number of folders,
      and at the end of a pattern all audio files in them.
    - A list is a text file of such paths, relative to the working directory. They are separated by line breaks or by
      NUL (``find -print0``); empty lines are skipped. The text is UTF-8, or UTF-16 with a byte order mark. A path that
      ends like an audio file is not looked up, because a million look-ups take long over a network; if it is missing,
      reading it fails later.
    - A table of segments is a label file: a Raven selection table, an Audacity label track, CSV or Parquet, see
      :func:`byola_hear.labels.read`.

    Args:
        paths: files, folders and patterns.
        segments: a table of segments.
        lists: text files, or streams of bytes such as ``sys.stdin.buffer``.
        on_missing: called with a path and a reason for each path that does not exist, each folder that can't be read or
            has no audio files, and each pattern without a match. None: raise an error for the first.

    Returns:
        The clips of ``paths``, then of ``lists``, then of ``segments``, without duplicates.

    Raises:
        FileNotFoundError: if a list or the table of segments does not exist; or a path, if ``on_missing`` is None.
        OSError: if a list or the table of segments can't be read.
        ValueError: if a list or the table of segments is something else; or a folder has no audio files, if
            ``on_missing`` is None.
    """
    suffixes = audio_suffixes()
    report = on_missing or _raise
    clips: dict[Clip, None] = {}
    for path in paths:
        clips.update((Clip(file), None) for file in files_of(os.fsdecode(path), suffixes, report))
    for listed in lists:
        for name in read_list(listed):
            if suffix_of(name) in suffixes and not has_magic(name):
                clips[Clip(plain(name))] = None
            else:
                clips.update((Clip(file), None) for file in files_of(name, suffixes, report))
    if segments is not None:
        clips.update((Clip(*segment), None) for segment in read_segments(segments))
    return list(clips)


def audio_files(paths: Iterable[PathLike]) -> list[Path]:
    """Find the files that paths name; see :func:`find_clips`.

    Args:
        paths: files, folders and patterns.

    Returns:
        Files in the order given, those of a folder sorted, without duplicates.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if a folder has no audio files.
    """
    return [Path(clip.file) for clip in find_clips(paths)]


def read_list(source: PathLike | BinaryIO) -> list[str]:
    """Read the paths in a list, see :func:`find_clips`. Names that are not UTF-8 keep their bytes.

    Args:
        source: a text file, or a stream of bytes.

    Returns:
        The paths, without empty ones.

    Raises:
        FileNotFoundError: if the file does not exist.
        OSError: if the file can't be read.
        ValueError: if it is a folder, or not a text.
    """
    if isinstance(source, (str, bytes, os.PathLike)):
        name = os.fsdecode(source)
        with readable(name, "list"):
            content = Path(name).read_bytes()
    else:
        name = "standard input"
        content = source.read()
    content = as_utf8(content, name)
    separated = [line for line in (content.split(b"\0") if b"\0" in content else content.splitlines()) if line.strip()]
    try:
        paths = [os.fsdecode(line) for line in separated]
    except UnicodeDecodeError:  # on Windows, where all names are text
        raise ValueError(f"expected a text file of paths in UTF-8 as the list, got something else: {name}") from None
    # File names may hold control characters, but hardly ever do. If no such file exists, these are not names.
    named = zip(separated, paths, strict=True) if _NO_TEXT.search(content) else ()
    strange = [path for line, path in named if _NO_TEXT.search(line)]
    if strange and not any(len(path) < _LONGEST_PATH and os.path.lexists(path) for path in strange):
        raise ValueError(f"expected a text file of paths as the list, got something else: {name}")
    return paths


def shard(clips: Sequence[Clip], index: int, count: int) -> list[Clip]:
    """Select one of ``count`` disjoint shares of the clips: every ``count``-th clip, beginning with clip ``index``.

    The shares 0 to ``count - 1`` together are all clips, and their sizes differ by at most one.

    Args:
        clips: all clips, the same and in the same order for every share.
        index: the share's number, from 0.
        count: the number of shares.

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
    """Parse a share written as ``i/n``: number ``i`` of ``n``, counted from 0 as in a Slurm array ``0-(n-1)``.

    Args:
        text: ``"0/4"`` to ``"3/4"``.

    Returns:
        Index and count for :func:`shard`.

    Raises:
        ValueError: if the text is something else.

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
