"""The journal: a work folder beside the output in which finished groups of rows wait for the table to be complete.

A part is one file: the rows, one after the other as they are in memory, then a record of what they are of and what
became of the clips, as JSON, then the record's length. It gets its name once all of it is on disk, so a process that
is killed leaves whole parts and nothing else. Any run of rows can be read from it without the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.request import Request
from byola_hear.tables.about import check_same
from byola_hear.tables.errors import TableError, TableRefused
from byola_hear.tables.placing import remove, sync_folder
from byola_hear.utils.files import Stamp, locked

#: Layout of the work folder; a folder of another is not gone on with.
LAYOUT = 1
_PART = re.compile(r"(\d{6,})\.part")
#: What else there may be: the table while it is written, and the one that it replaces.
_FILES = ("lock", "request.json", "placed.json", "new", "replaced")
_END = b"byola-hear part\n"


def row_type(request: Request) -> np.dtype[Any]:
    """A row as it is in a part."""
    numbers = [(name, "<f8") for name in request.columns[1:]]
    return np.dtype([*numbers, ("embedding", "<f4", (request.size,))])


@dataclass
class Record:
    """What a part's rows are of, and what became of clips. An attempt at a clip has a number, higher than all before.

    Attributes:
        runs: (attempt, rows) in the order of the part's rows.
        clips: attempt → (file, start, end), of all attempts that are mentioned.
        done: attempt → (seconds of audio, stamp, rows in this and earlier parts).
        failed: attempt → reason.
    """

    runs: list[tuple[int, int]] = field(default_factory=list)
    clips: dict[int, tuple[str, float, float | None]] = field(default_factory=dict)
    done: dict[int, tuple[float, Stamp, int]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: bytes) -> Record:
        """The record that ``json.dumps(vars(record))`` wrote."""
        found = json.loads(text)
        return cls(
            [(attempt, n_rows) for attempt, n_rows in found["runs"]],
            {int(attempt): (clip[0], clip[1], clip[2]) for attempt, clip in found["clips"].items()},
            {
                int(attempt): (seconds, None if stamp is None else (stamp[0], stamp[1]), n_rows)
                for attempt, (seconds, stamp, n_rows) in found["done"].items()
            },
            {int(attempt): reason for attempt, reason in found["failed"].items()},
        )


class Journal:
    """A work folder, locked until it is closed.

    Args:
        folder: made if it is not there.
        request: what is asked of every clip.
        overwrite: throw away what another request left there.

    Raises:
        TableRefused: if another process works there, another request's rows are there, or the folder is something else.
        OSError: if it can't be made or read.
    """

    def __init__(self, folder: Path, request: Request, overwrite: bool) -> None:
        self.folder, self.row_type = folder, row_type(request)
        self._lock = self._locked()
        try:
            self._begin(request, overwrite)
        except BaseException:
            self.close()
            raise

    def _locked(self) -> IO[Any]:
        path = self.folder / "lock"
        shutil.rmtree(_ended(self.folder), ignore_errors=True)
        while True:
            try:
                self.folder.mkdir()
            except FileExistsError:
                strangers = [entry for entry in self.folder.iterdir() if not self._is_ours(entry)]
                if strangers:
                    raise TableRefused(
                        f"{self.folder} is where the rows would wait, but it holds something else: {strangers[0].name}"
                    ) from None
            try:
                file = open(path, "a")  # noqa: SIM115, close closes it
            except FileNotFoundError:
                continue  # Whoever worked here has finished and removed the folder.
            if not locked(file):
                file.close()
                raise TableRefused(f"another process is writing this table: it has locked {path}")
            try:
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    return file
            except FileNotFoundError:
                pass
            file.close()

    @staticmethod
    def _is_ours(entry: Path) -> bool:
        return entry.name in _FILES or entry.name.endswith(".tmp") or _PART.fullmatch(entry.name) is not None

    def _begin(self, request: Request, overwrite: bool) -> None:
        wanted = {"layout": LAYOUT, **request.to_dict()}
        try:
            found = json.loads((self.folder / "request.json").read_bytes())
        except FileNotFoundError:
            found = wanted
        except ValueError:
            found = {}
        if found != wanted:
            if not overwrite:
                advice = f"give the same settings again, or overwrite to start over (or remove {self.folder})"
                if found.get("layout") != LAYOUT:
                    raise TableRefused(f"{self.folder} is another version's; {advice}")
                check_same(f"the unfinished work in {self.folder}", found, request, advice)
            for number in self.numbers():
                self.remove_part(number)
            for name in ("placed.json", "new"):
                remove(self.folder / name)
        for entry in self.folder.glob("*.tmp"):
            entry.unlink()
        self.write_json("request.json", wanted)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.part"

    def numbers(self) -> list[int]:
        """Numbers of the parts, in order."""
        matches = (_PART.fullmatch(entry.name) for entry in self.folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def write_json(self, name: str, content: object) -> None:
        """Write a small file of the folder, whole or not at all."""
        self._write(self.folder / name, [json.dumps(content).encode()])

    def write_part(self, number: int, rows: NDArray[np.void], record: Record) -> None:
        """Write a part; once this has returned it is on disk. One of the same number is replaced.

        Args:
            number: of the part, from 0.
            rows: ``(n_rows,)`` of :func:`row_type`.
            record: what they are.
        """
        text = json.dumps(vars(record)).encode()
        self._write(self._path(number), [rows.view(np.uint8), text, len(text).to_bytes(8, "little"), _END])

    def _write(self, path: Path, pieces: list[Any]) -> None:
        temporary = path.with_name(path.name + ".tmp")
        try:
            with open(temporary, "wb") as stream:
                for piece in pieces:
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)

    def records(self) -> Iterator[tuple[int, Record]]:
        """The parts' numbers and records, in order.

        Raises:
            TableError: if a part is damaged.
        """
        for number in self.numbers():
            path = self._path(number)
            tail = 8 + len(_END)
            try:
                with open(path, "rb") as stream:
                    size = stream.seek(0, os.SEEK_END)
                    stream.seek(max(0, size - tail))
                    end = stream.read()
                    length = int.from_bytes(end[:8], "little")
                    if end[8:] != _END or length > size - tail:
                        raise ValueError("it does not end as it should")
                    stream.seek(size - tail - length)
                    record = Record.from_json(stream.read(length))
                if sum(n_rows for _, n_rows in record.runs) * self.row_type.itemsize != size - tail - length:
                    raise ValueError("it does not have the rows that it should have")
            except (ValueError, KeyError, TypeError) as error:
                raise TableError(f"{path} is damaged ({error}); remove it and its clips are embedded again") from None
            yield number, record

    def read_rows(self, number: int, first: int, n_rows: int) -> NDArray[np.void]:
        """Some of a part's rows, ``(n_rows,)`` of :func:`row_type`."""
        path, offset = self._path(number), first * self.row_type.itemsize
        rows: NDArray[np.void] = np.fromfile(path, self.row_type, n_rows, offset=offset)
        if len(rows) != n_rows:
            raise TableError(f"{path} is damaged; remove it and its clips are embedded again")
        return rows

    def remove_part(self, number: int) -> None:
        """Throw a part away."""
        self._path(number).unlink()

    def close(self) -> None:
        """Let other processes work here; a folder without parts is removed."""
        with contextlib.suppress(FileNotFoundError):
            if not self._lock.closed and not self.numbers():
                self.remove()
        self._lock.close()

    def remove(self) -> None:
        """Remove the folder, of which nothing is needed any more, and close it."""
        if os.name == "nt":
            self._lock.close()  # There, a folder with an open file keeps its name.
        # First the name, at one stroke: a folder that lacks some of its parts would be gone on with.
        os.replace(self.folder, _ended(self.folder))
        self._lock.close()
        shutil.rmtree(_ended(self.folder), ignore_errors=True)


def _ended(folder: Path) -> Path:
    return folder.with_name(folder.name + ".done")
