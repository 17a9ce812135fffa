"""Tables of embeddings on disk, written clip by clip in memory that does not grow with them.

A table has a row for each embedding: the file it is of, one number about it (a clip's duration in seconds, or
a timestamp in milliseconds) and the embedding. A clip that fails halfway leaves no rows behind, and nobody
sees a table before it is complete.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from byola_hear.files import replacing

#: What the number in each row is, by kind of embedding.
NUMBERS = {"scene": "duration_s", "timestamp": "timestamp_ms"}
#: Takes embeddings ``(k, size)`` and their numbers ``(k,)``.
AddRows = Callable[[NDArray[np.float32], NDArray[np.float64]], None]


class TableError(Exception):
    """A table that can't be written; the message names it and says why."""


class CsvTable:
    """``file,duration_s,e0,e1,…`` or ``file,timestamp_ms,e0,e1,…``; the digits give back the float32 exactly.

    Args:
        stream: where to, open for writing and reading.
        kind: ``"scene"`` or ``"timestamp"``.
        size: numbers in an embedding.
        model: the model's name; a CSV file has no place for it.
    """

    def __init__(self, stream: BinaryIO, kind: str, size: int, model: str) -> None:
        self.stream, self.size = stream, size
        names = ["file", NUMBERS[kind], *(f"e{index}" for index in range(size))]
        stream.write((",".join(names) + "\n").encode())

    @contextmanager
    def clip(self, file: str) -> Iterator[AddRows]:
        """Add a clip's rows: all, or none if an exception leaves the block.

        Args:
            file: the clip's name in the table.

        Yields:
            A function that appends rows.
        """
        cell = io.StringIO()
        csv.writer(cell, lineterminator="\n").writerow([file])
        name = cell.getvalue()[:-1].encode("utf-8", "surrogateescape")
        form = ",%.9g" * (1 + self.size) + "\n"

        def add(embeddings: NDArray[np.float32], numbers: NDArray[np.float64]) -> None:
            with _as_table_error():
                for number, row in zip(numbers.tolist(), embeddings.tolist(), strict=True):
                    self.stream.write(name + (form % (number, *row)).encode())

        with _undone_on_error(self.stream):
            yield add

    def finish(self) -> None:
        """Complete the table once all clips are in."""


class NpzTable:
    """Arrays for ``numpy.load``.

    ``embeddings`` ``(n, size)`` float32, ``files`` (names), ``model`` (its name) and, for clips,
    ``duration_s`` ``(n,)``, row by row with ``files``; for timestamps, ``timestamp_ms`` ``(n,)`` and
    ``file_index`` ``(n,)``, which says where in ``files`` each row's file is.

    Args:
        stream: where to, open for writing and reading.
        kind: ``"scene"`` or ``"timestamp"``.
        size: numbers in an embedding.
        model: the model's name.
    """

    def __init__(self, stream: BinaryIO, kind: str, size: int, model: str) -> None:
        self.stream, self.kind, self.size, self.model = stream, kind, size, model
        self.files: list[str] = []
        self.numbers, self.file_index = array("d"), array("q")
        # An array's length stands before it, so the rows wait in a file of their own until that is known.
        self.rows = tempfile.TemporaryFile(dir=Path(stream.name).parent)  # noqa: SIM115, finish closes it

    @contextmanager
    def clip(self, file: str) -> Iterator[AddRows]:
        """As :meth:`CsvTable.clip`."""
        before = len(self.numbers)

        def add(embeddings: NDArray[np.float32], numbers: NDArray[np.float64]) -> None:
            with _as_table_error():
                self.rows.write(np.ascontiguousarray(embeddings, "<f4").data)
            self.numbers.extend(numbers.tolist())
            self.file_index.extend([len(self.files)] * len(numbers))

        try:
            with _undone_on_error(self.rows):
                yield add
        except BaseException:
            del self.numbers[before:], self.file_index[before:]
            raise
        self.files.append(file)

    def finish(self) -> None:
        """Complete the table once all clips are in."""
        arrays = {"files": np.array(self.files, dtype=np.str_), "model": np.array(self.model)}
        arrays[NUMBERS[self.kind]] = np.array(self.numbers)
        if self.kind == "timestamp":
            arrays["file_index"] = np.array(self.file_index)
        shape = (len(self.numbers), self.size)
        with zipfile.ZipFile(self.stream, "w") as archive:
            with archive.open("embeddings.npy", "w", force_zip64=True) as member:
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(member, header)
                self.rows.seek(0)
                shutil.copyfileobj(self.rows, member, 1 << 20)
            for name, values in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, values, allow_pickle=False)
        self.rows.close()


#: Kinds of table by the ending of the file's name.
FORMATS: dict[str, type[CsvTable] | type[NpzTable]] = {".csv": CsvTable, ".npz": NpzTable}


@contextmanager
def open_table(path: Path, kind: str, size: int, model: str) -> Iterator[CsvTable | NpzTable]:
    """A new table, which takes its name once the block has ended without an exception.

    Args:
        path: where to; its ending, one of :data:`FORMATS`, decides the format. An existing file is replaced.
        kind: ``"scene"`` or ``"timestamp"``.
        size: numbers in an embedding.
        model: the model's name.

    Yields:
        The table.

    Raises:
        TableError: if the file can't be written.
    """
    with _as_table_error(), replacing(path) as stream:
        table = FORMATS[path.suffix.lower()](stream, kind, size, model)
        yield table
        table.finish()


@contextmanager
def _as_table_error() -> Iterator[None]:
    """Tell trouble with the table (a full disk) from trouble with a clip."""
    try:
        yield
    except OSError as error:
        raise TableError(f"the table can't be written: {error.strerror or error}") from error


@contextmanager
def _undone_on_error(stream: BinaryIO) -> Iterator[None]:
    """Cut off what was written inside the block if an exception leaves it."""
    start = stream.tell()
    try:
        yield
    except BaseException:
        stream.seek(start)
        stream.truncate()
        raise
