"""Rows of many clips as columns, the form that all formats read and write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.rows import Rows
from byola_hear.tables.errors import TableError
from byola_hear.utils.text import as_bytes, as_text

if TYPE_CHECKING:
    import pyarrow

#: Bytes of embeddings in a batch at most, unless a single row is larger.
BATCH_BYTES = 1 << 24
#: Bytes of names that an Arrow array of strings holds: it counts them in 32 bits.
_MOST_NAME_BYTES = (1 << 31) - 1


@dataclass(frozen=True)
class Batch:
    """Rows of a table.

    Attributes:
        file: ``(k,)`` of str, each row's file. Bytes of a name that are not text are lone surrogates, as everywhere in
            Python.
        start: ``(k,)`` float64, s from the file's beginning.
        end: ``(k,)`` float64, s.
        time: ``(k,)`` float64, s; None for scenes.
        embeddings: ``(k, size)`` float32.
    """

    file: NDArray[np.object_]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    time: NDArray[np.float64] | None
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> Batch:
        time = None if self.time is None else self.time[rows]
        return Batch(self.file[rows], self.start[rows], self.end[rows], time, self.embeddings[rows])

    def numbers(self) -> dict[str, NDArray[np.float64]]:
        """The columns of seconds by name, in the table's order."""
        named = {"start": self.start, "end": self.end, "time": self.time}
        return {name: values for name, values in named.items() if values is not None}


def rows_in(n_bytes: int, size: int) -> int:
    """How many embeddings of ``size`` dimensions fit into ``n_bytes``, but at least one."""
    return max(1, n_bytes // (4 * size))


def joined(batches: list[Batch]) -> Batch:
    """Join batches, at least one."""
    if len(batches) == 1:
        return batches[0]
    columns: list[Any] = []
    for field in fields(Batch):
        values = [getattr(batch, field.name) for batch in batches]
        columns.append(None if values[0] is None else np.concatenate(values))
    return Batch(*columns)


def evened(batches: Iterable[Batch], n_rows: int) -> Iterator[Batch]:
    """Divide the same rows into batches of ``n_rows``. The last one may be smaller; none is empty."""
    waiting: list[Batch] = []
    n_waiting = 0
    for batch in batches:
        while n_waiting + len(batch) >= n_rows:
            here = n_rows - n_waiting
            yield joined([*waiting, batch[:here]])
            batch, waiting, n_waiting = batch[here:], [], 0
        if len(batch):
            waiting.append(batch)
            n_waiting += len(batch)
    if waiting:
        yield joined(waiting)


def batch_of(rows: Rows) -> Batch:
    """One clip's rows as a batch."""
    file = np.full(len(rows), rows.clip.file, object)
    return Batch(file, rows.start, rows.end, rows.time, rows.embeddings)


def names_array(names: Iterable[str | bytes]) -> NDArray[np.object_]:
    """Names as an array of Python objects."""
    listed = list(names)
    array = np.empty(len(listed), object)
    array[:] = listed
    return array


def names_to_arrow(names: Iterable[str], text: bool) -> pyarrow.Array:
    """Names as an Arrow array, of strings or of bytes.

    Neither this function nor :func:`numbers_to_arrow` uses ``pyarrow.array``, which imports pandas: that takes a third
    of a second, and no table needs it to be written.

    Args:
        names: the names.
        text: whether all of them are valid Unicode, so that the array can hold strings.

    Raises:
        TableError: if they are too long for one array.
    """
    import pyarrow

    encoded = [as_bytes(name) for name in names]
    ends = np.cumsum([0, *map(len, encoded)])
    if ends[-1] > _MOST_NAME_BYTES:
        raise TableError(f"expected names of at most {_MOST_NAME_BYTES} bytes in a batch, got {ends[-1]} bytes")
    buffers = [None, pyarrow.py_buffer(ends.astype(np.int32)), pyarrow.py_buffer(b"".join(encoded))]
    return pyarrow.Array.from_buffers(pyarrow.string() if text else pyarrow.binary(), len(encoded), buffers)


def numbers_to_arrow(values: NDArray[np.floating]) -> pyarrow.Array:
    """Numbers ``(k,)`` as an Arrow array of the same type; without a copy if they lie side by side."""
    import pyarrow

    kind, buffer = pyarrow.from_numpy_dtype(values.dtype), pyarrow.py_buffer(np.ascontiguousarray(values))
    return pyarrow.Array.from_buffers(kind, len(values), [None, buffer])


def names_from_arrow(column: pyarrow.ChunkedArray | pyarrow.Array) -> NDArray[np.object_]:
    """A column of names, text or bytes, as an array of Python strings."""
    import pyarrow

    chunks = column.chunks if isinstance(column, pyarrow.ChunkedArray) else [column]
    coded = [chunk if isinstance(chunk, pyarrow.DictionaryArray) else chunk.dictionary_encode() for chunk in chunks]
    parts = [names_array(map(as_text, each.dictionary.to_pylist()))[each.indices.to_numpy()] for each in coded]
    return np.concatenate([names_array([]), *parts])
