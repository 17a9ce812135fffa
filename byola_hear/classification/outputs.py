"""Detections on disk: one file for each recording, or one for all, resumed after any interruption.

A folder of detections has a journal, ``predict.jsonl``. Its first line holds the settings. Then there is a line for
each recording: first with the name that its file will have; once this file is complete, with the recording's size and
time of change and the number of detections. Lines are only appended, so a crash costs only the recordings that were not
complete.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from byola_hear import labels
from byola_hear.labels.writing import ENDINGS
from byola_hear.tables.placing import remove
from byola_hear.utils.files import Stamp, locked, remove_leftovers, stamp_of, work_folder
from byola_hear.utils.text import as_text, same_anywhere, shortened

if TYPE_CHECKING:
    import pandas

JOURNAL = "predict.jsonl"


class OutputError(ValueError):
    """Detections can't be written where they were wanted; nothing was done."""


@dataclass
class _Entry:
    """What the journal says of a recording."""

    name: str
    stamp: list[int] | None = None
    n_found: int | None = None


class Folder:
    """A folder of detections: a file for each recording.

    Args:
        path: the folder; made if it does not exist.
        format: a key of :data:`byola_hear.labels.writing.ENDINGS`.
        settings: what decides the detections, as JSON values. A folder takes detections of one kind only.
        overwrite: remove the results of a run with other settings, and replace files that are not this run's.

    Raises:
        OutputError: if the folder holds results of other settings, can't be written or is in use.
    """

    def __init__(self, path: Path, format: str, settings: dict[str, Any], overwrite: bool = False) -> None:
        self.path, self.format, self._overwrite = path, format, overwrite
        if path.exists() and not path.is_dir():
            raise OutputError(f"expected a folder for the detections, got the file {path}")
        settings = json.loads(json.dumps({**settings, "format": format}))
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._stream: IO[str] = open(path / JOURNAL, "a+", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise OutputError(f"{path} can't be written: {error.strerror}") from error
        try:
            if not locked(self._stream):
                raise OutputError(f"another process writes to {path}")
            self._entries = self._resumed(settings)
        except BaseException:
            self._stream.close()
            raise

    def _resumed(self, settings: dict[str, Any]) -> dict[str, _Entry]:
        lines, length = _lines(self.path / JOURNAL)
        entries: dict[str, _Entry] = {}
        for line in lines[1:]:
            entries[line["file"]] = _Entry(line["name"], line.get("stamp"), line.get("detections"))
        # A run that was killed while it wrote a file left it under another name.
        remove_leftovers(self.path / entry.name for entry in entries.values())
        if lines and lines[0] != settings:
            names = [name for name in settings if lines[0].get(name) != settings[name]]
            found = ", ".join(f"{name} {_shown(lines[0].get(name))}, not {_shown(settings[name])}" for name in names)
            if not self._overwrite:
                raise OutputError(
                    f"{self.path} holds detections made with {found}; take another folder, or --overwrite"
                )
            for entry in entries.values():
                (self.path / entry.name).unlink(missing_ok=True)
            entries, lines, length = {}, [], 0
        # A line that a crash cut off is no beginning for the next.
        self._stream.truncate(length)
        if not lines:
            self._append([settings])
        return entries

    def plan(self, files: Iterable[str]) -> list[str]:
        """Give each recording the name of a file, and find what is left to do.

        Args:
            files: recordings.

        Returns:
            Those that are not complete, or that changed since.

        Raises:
            OutputError: if a file would be replaced that is not this folder's.
        """
        wanted = list(dict.fromkeys(files))
        new = [file for file in wanted if file not in self._entries]
        taken = {entry.name for entry in self._entries.values()}
        names = dict(zip(new, _names(new, ENDINGS[self.format], taken), strict=True))
        for name in names.values():
            if not self._overwrite and os.path.lexists(self.path / name):
                raise OutputError(
                    f"{self.path / name} exists and is not of this run; take another folder, or --overwrite"
                )
        self._entries |= {file: _Entry(name) for file, name in names.items()}
        self._append([_line(file, self._entries[file]) for file in new])
        return [file for file in wanted if not self._is_complete(file)]

    def _is_complete(self, file: str) -> bool:
        entry = self._entries[file]
        if entry.n_found is None or entry.stamp is None:  # a table's scores have no stamp that would show a change
            return False
        return entry.stamp == _listed(stamp_of(file)) and (self.path / entry.name).is_file()

    def add(self, file: str, stamp: Stamp, found: pandas.DataFrame) -> None:
        """Write the detections of a recording, all of it.

        Args:
            file: the recording, planned before.
            stamp: of the recording before it was read.
            found: its detections.

        Raises:
            ValueError: if the format can't hold them, such as a path with a line break.
            OSError: if they can't be written.
        """
        if not (self.path / JOURNAL).exists():  # a new folder would lack what was written before
            raise FileNotFoundError(errno.ENOENT, "was removed during the work", os.fspath(self.path))
        entry = self._entries[file]
        path = self.path / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        labels.write(found, path, self.format)
        entry.stamp, entry.n_found = _listed(stamp), len(found)
        self._append([_line(file, entry)])

    def count(self, files: Iterable[str]) -> int:
        """The number of detections in complete recordings."""
        return sum(self._entries[file].n_found or 0 for file in files)

    def read(self, files: Iterable[str]) -> pandas.DataFrame:
        """The detections of complete recordings, from a folder of Parquet files."""
        import pandas as pd

        tables = [_of_parquet(self.path / self._entries[file].name) for file in files]
        full = [table for table in tables if len(table)]
        return pd.concat(full, ignore_index=True) if full else tables[0]

    def _append(self, lines: Iterable[dict[str, Any]]) -> None:
        try:
            for line in lines:
                self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:  # a full disk, which names no file
            with contextlib.suppress(OSError):  # what could not be written can't be written now
                self._stream.close()
            raise OSError(error.errno, error.strerror, os.fspath(self.path / JOURNAL)) from error

    def close(self) -> None:
        """Let other processes at the folder. A journal without a recording goes."""
        if not self._entries:
            with contextlib.suppress(OSError):  # Windows removes no open file
                (self.path / JOURNAL).unlink()
        self._stream.close()

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_single(path: Path, overwrite: bool, wished: str | None = None) -> str:
    """The format of a single file with all detections.

    Raises:
        OutputError: if its ending is not a format's or not that of the wished one, its folder does not exist, it
            exists already, or the folder for unfinished detections holds something else.
    """
    format = {".csv": "csv", ".parquet": "parquet", ".txt": "raven"}.get(path.suffix.lower())
    if format is None:
        raise OutputError(f"expected a folder, or a file that ends in .csv, .parquet or .txt (Raven), got {path}")
    if wished not in (None, format):
        raise OutputError(f"expected a folder for files of the format {wished}, got {path}")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"the folder of {path} does not exist")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give --overwrite to replace it")
    parts = work_folder(path)
    if parts.is_dir() and not (parts / JOURNAL).exists():
        stranger = next(parts.iterdir(), None)
        if stranger is not None:  # it would be removed in the end
            raise OutputError(f"{parts} is needed for unfinished detections, but holds something else: {stranger.name}")
    return format


def finish_single(path: Path, format: str, parts: Folder, files: Iterable[str]) -> pandas.DataFrame:
    """Write all detections to one file and remove the folder in which they waited.

    Returns:
        The detections.
    """
    found = parts.read(files)
    remove_leftovers([path])  # of a run that was killed here; `parts` is locked, so no other is writing
    labels.write(found, path, format)
    parts.close()
    # The journal goes last: without it, what a run that is killed here leaves would be taken for something else.
    for entry in parts.path.iterdir():
        if entry.name != JOURNAL:
            remove(entry)
    remove(parts.path)
    return found


def _lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The lines of a journal, up to one that is cut off, and their length in bytes."""
    content = path.read_bytes()
    length = content.rfind(b"\n") + 1
    try:
        lines = [json.loads(line) for line in content[:length].splitlines()]
        if not all(
            isinstance(line, dict) and (not place or ("file" in line and _is_inside(line.get("name"))))
            for place, line in enumerate(lines)
        ):
            raise ValueError
    except ValueError:
        raise OutputError(f"{path} is not a journal of detections, or is damaged; take another folder") from None
    return lines, length


def _is_inside(name: object) -> bool:
    """Whether a name in a journal is that of a file in its folder: another could have any file removed or replaced."""
    if not isinstance(name, str) or not name:
        return False
    return not os.path.isabs(name) and not PurePath(name).anchor and ".." not in PurePath(name).parts


def _of_parquet(path: Path) -> pandas.DataFrame:
    """The detections in a file, whose paths and labels are bytes where they are not UTF-8."""
    import pandas as pd

    with open(path, "rb") as stream:  # opened here, because Arrow opens no paths that are not UTF-8
        table = pd.read_parquet(stream)
    texts = {name: pd.Series(list(map(as_text, table[name])), dtype=object) for name in ("file", "label")}
    return table.assign(**texts)


def _line(file: str, entry: _Entry) -> dict[str, Any]:
    line: dict[str, Any] = {"file": file, "name": entry.name}
    return line if entry.n_found is None else {**line, "stamp": entry.stamp, "detections": entry.n_found}


def _listed(stamp: Stamp) -> list[int] | None:
    return None if stamp is None else list(stamp)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def _names(files: list[str], ending: str, taken: set[str]) -> Iterator[str]:
    """Names for the files of recordings, in the folders that the recordings do not share."""
    folders = [os.path.dirname(os.path.abspath(file)) for file in files]
    try:
        top = os.path.commonpath(folders) if folders else ""
    except ValueError:  # on several drives
        top = ""
    used = set(map(same_anywhere, taken))
    for file in files:
        below = PurePath(os.path.relpath(os.path.abspath(file), top) if top else os.path.basename(file))
        name, number = str(below.with_name(shortened(below.stem, 255 - len(ending)) + ending)), 1
        while same_anywhere(name) in used:
            # Another recording of this name: the whole name, then a number.
            end = f"{'' if number == 1 else f'-{number}'}{ending}"
            name = str(below.with_name(shortened(below.name, 255 - len(end)) + end))
            number += 1
        used.add(same_anywhere(name))
        yield name
