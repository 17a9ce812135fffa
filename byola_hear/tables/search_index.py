"""What a search compares, in a file of its own: vectors of 64 numbers, one for each row of a table.

An index is an ``.npz`` file without pickles: ``mean`` and ``axes`` (see :class:`byola_hear.analysis.search.Space`),
``vectors`` of length 1, ``number`` (of the file), ``start``, ``end``, ``names`` (bytes, ended by zeros) and ``about``
(JSON): the table that it was made of, which has to be the same when it is used.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.analysis.search import Space
from byola_hear.tables.batches import Batch
from byola_hear.tables.errors import TableError, TableRefused
from byola_hear.tables.scan import Scan
from byola_hear.utils.files import PathLike, readable, replacing, stamp_of
from byola_hear.utils.text import as_bytes, as_text

#: Version of the format; raised also when other vectors are compared, so that older indexes are made again.
FORMAT = 2
_ARRAYS = ("mean", "axes", "vectors", "number", "start", "end", "names", "about")


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table without their embeddings.

    Attributes:
        number: ``(n,)``, of the row's file in ``names``.
        start: ``(n,)`` float64, s.
        end: ``(n,)`` float64, s.
        names: the files.
    """

    number: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    names: list[str]


class RowsBuilder:
    """Collects the rows of batches."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]] = []

    def add(self, batch: Batch) -> None:
        """Add a batch. Files come in runs of rows."""
        edges = [0, *(np.flatnonzero(batch.file[1:] != batch.file[:-1]) + 1).tolist()]
        runs = [self._numbers.setdefault(batch.file[edge], len(self._numbers)) for edge in edges]
        file = np.repeat(np.array(runs, np.int32), np.diff([*edges, len(batch)]))
        self._parts.append((file, batch.start, batch.end))

    def finish(self) -> Rows:
        """All rows; at least one batch was added."""
        file, start, end = (np.concatenate(arrays) for arrays in zip(*self._parts, strict=True))
        return Rows(file, start, end, list(self._numbers))


@dataclass(frozen=True, eq=False)
class Index:
    """The vectors of a table. Their products with a direction are the rows' scores.

    Attributes:
        space: how embeddings become vectors.
        vectors: ``(n, k)`` float32 of length 1; 0 for an embedding of zeros.
        rows: the rows.
    """

    space: Space
    vectors: NDArray[np.float32]
    rows: Rows


def about_table(table: Scan) -> dict[str, Any]:
    """What tells one state of a table from another, as JSON values.

    Raises:
        TableRefused: if the table is not one file.
    """
    if not table.path.is_file():
        raise TableRefused(f"{table.path} is a folder; an index needs a table that is one file, such as .parquet")
    stamp = stamp_of(str(table.path))
    fingerprint = None if table.request is None else table.request.fingerprint
    return {"format": FORMAT, "stamp": None if stamp is None else list(stamp), "fingerprint": fingerprint}


def write_index(path: PathLike, index: Index, about: dict[str, Any]) -> None:
    """Write an index, completely or not at all.

    Args:
        path: the file; an existing one is replaced.
        index: the index.
        about: from :func:`about_table`, before the table was read.

    Raises:
        OSError: if it can't be written.
    """
    nothing = np.empty(0, np.float32)
    space, rows = index.space, index.rows
    with replacing(Path(os.fsdecode(path))) as stream:
        np.savez(
            stream,
            mean=nothing if space.mean is None else space.mean,
            axes=nothing if space.axes is None else space.axes,
            vectors=index.vectors,
            number=rows.number,
            start=rows.start,
            end=rows.end,
            names=np.frombuffer(b"".join(as_bytes(name) + b"\0" for name in rows.names), np.uint8),
            about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        )


def read_index(path: PathLike, about: dict[str, Any]) -> Index | None:
    """Read an index.

    Args:
        path: the file.
        about: from :func:`about_table`.

    Returns:
        The index; None if it does not exist, or is of another table or another state of it.

    Raises:
        TableError: if the file is not an index or is damaged.
    """
    path = Path(os.fsdecode(path))
    if not path.exists():
        return None
    try:
        with readable(path, "index"), np.load(path, allow_pickle=False) as arrays:
            if set(arrays) != set(_ARRAYS):
                raise TableError(f"{path} is not an index of a table")
            if json.loads(arrays["about"].tobytes()) != about:
                return None
            found = {name: arrays[name] for name in _ARRAYS}
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"{path} is not an index of a table, or is damaged") from None
    names = [as_text(name) for name in found["names"].tobytes().split(b"\0")[:-1]]
    rows = Rows(found["number"], found["start"], found["end"], names)
    space = Space(found["mean"], found["axes"]) if len(found["axes"]) else Space()
    index = Index(space, found["vectors"], rows)
    _check(path, index)
    return index


def _check(path: Path, index: Index) -> None:
    rows, vectors = index.rows, index.vectors
    n_rows = len(rows.number)
    whole = (
        vectors.ndim == 2
        and vectors.dtype == np.float32
        and len(vectors) == len(rows.start) == len(rows.end) == n_rows > 0
        and 0 <= rows.number.min() <= rows.number.max() < len(rows.names)
        and (index.space.axes is None or index.space.axes.shape[1:] == vectors.shape[1:])
    )
    if not whole:
        raise TableError(f"{path} is not an index of a table, or is damaged")
