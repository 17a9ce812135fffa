"""The parts of a journal: a folder next to the output, with the rows until the table is complete.

A part is a file with the rows as they are in memory, then a record as JSON of the clips that they belong to and of the
clips' success or failure, then the record's length. It gets its name once all of it is on disk, so a process that is
killed leaves whole parts only. Any of its rows can be read without the others.

Parts are not Parquet, because that costs more than it saves. In 100 000 rows of 3072 dimensions, Parquet parts were 9 %
smaller, but a table took twice the processor time and 150 to 250 MB more memory.
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

#: Layout of the work folder. A folder with another layout can't be continued.
LAYOUT = 1
_PART = re.compile(r"(\d{6,})\.part")
#: Other files in the folder, among them the table while it is written, and the table that it replaces.
_FILES = ("lock", "request.json", "placed.json", "new", "replaced")
_END = b"byola-hear part\n"


def row_type(request: Request) -> np.dtype[Any]:
    """The type of a row in a part."""
    numbers = [(name, "<f8") for name in request.columns[1:]]
    return np.dtype([*numbers, ("embedding", "<f4", (request.size,))])


@dataclass
class Record:
    """Which clips a part's rows belong to, and which clips succeeded or failed.

    Each attempt to embed a clip has a number that is higher than all before.

    Attributes:
        runs: (attempt, number of rows), in the order of the part's rows.
        clips: attempt → (file, start, end), for all attempts in this record.
        done: attempt → (seconds of audio, stamp, number of rows in this and earlier parts).
        failed: attempt → reason.
    """

    runs: list[tuple[int, int]] = field(default_factory=list)
    clips: dict[int, tuple[str, float, float | None]] = field(default_factory=dict)
    done: dict[int, tuple[float, Stamp, int]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: bytes) -> Record:
        """Read a record that ``json.dumps(vars(record))`` wrote."""
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
        folder: the folder; it is made if it does not exist.
        request: what is asked of every clip.
        overwrite: discard rows of another request.

    Raises:
        TableRefused: if another process uses the folder, or it contains rows of another request or something else.
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
                        f"{self.folder} is needed for unfinished rows, but holds something else: {strangers[0].name}"
                    ) from None
            try:
                file = open(path, "a")  # noqa: SIM115, close closes it
            except FileNotFoundError:
                continue  # The process that used it has finished and removed it.
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
                    raise TableRefused(f"{self.folder} is from another version; {advice}")
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
        """The numbers of the parts, in order."""
        matches = (_PART.fullmatch(entry.name) for entry in self.folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def write_json(self, name: str, content: object) -> None:
        """Write a small file of the folder, whole or not at all."""
        self._write(self.folder / name, [json.dumps(content).encode()])

    def write_part(self, number: int, rows: NDArray[np.void], record: Record) -> None:
        """Write a part to disk. A part with the same number is replaced.

        Args:
            number: the part's number, from 0.
            rows: ``(n_rows,)`` of :func:`row_type`.
            record: the part's record.
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
                        raise ValueError("its end is missing")
                    stream.seek(size - tail - length)
                    record = Record.from_json(stream.read(length))
                if sum(n_rows for _, n_rows in record.runs) * self.row_type.itemsize != size - tail - length:
                    raise ValueError("some of its rows are missing")
            except (ValueError, KeyError, TypeError) as error:
                raise TableError(f"{path} is damaged ({error}); remove it, and its clips are embedded again") from None
            yield number, record

    def read_rows(self, number: int, first: int, n_rows: int) -> NDArray[np.void]:
        """Read some of a part's rows, ``(n_rows,)`` of :func:`row_type`."""
        path, offset = self._path(number), first * self.row_type.itemsize
        rows: NDArray[np.void] = np.fromfile(path, self.row_type, n_rows, offset=offset)
        if len(rows) != n_rows:
            raise TableError(f"{path} is damaged; remove it, and its clips are embedded again")
        return rows

    def remove_part(self, number: int) -> None:
        """Delete a part."""
        self._path(number).unlink()

    def close(self) -> None:
        """Unlock the folder. A folder without parts is removed."""
        with contextlib.suppress(FileNotFoundError):
            if not self._lock.closed and not self.numbers():
                self.remove()
        self._lock.close()

    def remove(self) -> None:
        """Remove the folder with its content."""
        if os.name == "nt":
            self._lock.close()  # Windows does not rename a folder with an open file.
        # Renamed first, in one step, because a folder without some of its parts would be continued.
        os.replace(self.folder, _ended(self.folder))
        self._lock.close()
        shutil.rmtree(_ended(self.folder), ignore_errors=True)


def _ended(folder: Path) -> Path:
    return folder.with_name(folder.name + ".done")
