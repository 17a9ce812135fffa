"""Files in folders and files that match patterns: sorted, fast for a million files, safe with loops of links."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from glob import has_magic, iglob
from pathlib import Path

from byola_hear.audio.ffmpeg import FFMPEG_SUFFIXES
from byola_hear.utils.text import quantity

#: Called with a path that was asked for and the reason why there is nothing to embed.
OnMissing = Callable[[str, str], None]


def files_of(path: str, suffixes: frozenset[str], report: OnMissing) -> Iterator[str]:
    """Find the files that a path names: the file itself, those in the folder, or those that match the pattern.

    Args:
        path: a file, folder or pattern. ``**`` matches any number of folders, and at the end all audio files in them.
        suffixes: ends of audio files' names, in lower case. They decide only in folders.
        report: called with each path that gives nothing, and the reason.

    Yields:
        Paths as :func:`plain` writes them, those of a folder sorted by their parts.
    """
    if os.path.isdir(path):
        yield from _audio_below(path, suffixes, report)
    elif os.path.lexists(path):
        # This includes a broken link: reading it reports what is wrong.
        yield plain(path)
    elif has_magic(path):
        n_found = 0
        for file in _matching(path, suffixes, report):
            n_found += 1
            yield file
        if not n_found:
            report(path, "no file matches the pattern")
    else:
        report(path, "no such file or folder")


def _audio_below(folder: str, suffixes: frozenset[str], report: OnMissing) -> Iterator[str]:
    n_found = n_left_out = 0

    def unreadable(path: str, reason: str) -> None:
        nonlocal n_found
        n_found += 1
        report(path, reason)

    for file in files_below(plain(folder), unreadable):
        if suffix_of(file) in suffixes:
            n_found += 1
            yield file
        else:
            n_left_out += suffix_of(file) in FFMPEG_SUFFIXES
    if not n_found:
        left_out = f" but {quantity(n_left_out, 'file')} that only the program ffmpeg reads, which is not on PATH"
        report(folder, f"no audio files in the folder{left_out if n_left_out else ''}")


def _matching(pattern: str, suffixes: frozenset[str], report: OnMissing) -> Iterator[str]:
    """Files that match, and audio in folders that match. The standard library's ``**`` follows loops of links."""
    parts = Path(pattern).parts
    if "**" not in parts:
        for match in sorted(iglob(pattern)):
            yield from files_of(match, suffixes, report)
        return
    at = parts.index("**")
    top, tail = os.path.join(*parts[:at]) if at else ".", parts[at:]
    for folder in sorted(iglob(top)) if has_magic(top) else [top]:
        n_above = 0 if folder == "." else len(Path(folder).parts)
        for file in files_below(plain(folder), report) if os.path.isdir(folder) else ():
            below, is_audio = Path(file).parts[n_above:], suffix_of(file) in suffixes
            if not is_audio and tail[-1] == "**":
                continue
            if _parts_match(below, tail) or (is_audio and _is_in_match(below, tail)):
                yield file


def _is_in_match(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a folder that a file is in matches."""
    return any(_parts_match(parts[:end], pattern) for end in range(1, len(parts)))


def _parts_match(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_parts_match(parts[begin:], pattern[1:]) for begin in range(len(parts) + 1))
    return bool(parts) and fnmatch(parts[0], pattern[0]) and _parts_match(parts[1:], pattern[1:])


def files_below(folder: str, report: OnMissing) -> Iterator[str]:
    """All files below a folder, sorted by the parts of their paths, without a system call for each.

    Everything but a folder counts: reading a broken link or a pipe reports what it is. Names that begin with a dot are
    skipped. Links are followed, except into a folder that contains them.

    Args:
        folder: the folder.
        report: called with each folder that can't be read, and the reason.

    Yields:
        Paths that begin with ``folder``, unless that is ``"."``.
    """
    # A stack instead of recursion, because folders may be nested deeper than Python's calls. Each entry has the
    # folder's identity, because following a link to a folder above would never end.
    opened: list[tuple[Iterator[os.DirEntry[str]], str, tuple[int, int]]] = []

    def enter(path: str) -> None:
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if any(identity == above for _, _, above in opened) or (opened and _leads_up(path)):
                return
            with os.scandir(path) as entries:
                listed = sorted(entries, key=_name)
        except OSError as error:
            report(path, f"the folder can't be read ({error.strerror})")
            return
        opened.append((iter(listed), "" if path == "." else os.path.join(path, ""), identity))

    enter(folder)
    while opened:
        entries, prefix, _ = opened[-1]
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                enter(prefix + entry.name)
                break
            yield prefix + entry.name
        else:
            opened.pop()


def _leads_up(path: str) -> bool:
    """Whether a folder is a link to a folder that contains it, maybe above the one that is searched."""
    if not os.path.islink(path):
        return False
    target, place = Path(os.path.realpath(path)), Path(os.path.realpath(os.path.dirname(path)))
    return target == place or target in place.parents


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example, a link to itself
        return False


def suffix_of(path: str) -> str:
    """The end of a name from its last dot, in lower case.

    Example:
        >>> suffix_of("birds/robin.WAV")
        '.wav'
    """
    return os.path.splitext(path)[1].lower()


def plain(path: str) -> str:
    """A path as tables have it, without ``./`` and repeated separators, so that a file has one name.

    Example:
        >>> plain("./birds//robin.wav")
        'birds/robin.wav'
    """
    return str(Path(path))
