"""Tables in memory: a table on disk, or the rows of an extraction, as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Rows
from byola_hear.tables.batches import Batch, batch_of, names_array
from byola_hear.tables.errors import as_read_error
from byola_hear.tables.scan import open_scan
from byola_hear.utils.files import PathLike
from byola_hear.utils.text import is_text

if TYPE_CHECKING:
    import pandas


def read_table(path: PathLike) -> pandas.DataFrame:
    """Read a whole table of embeddings into memory, in any of the formats.

    Args:
        path: the table's file or folder.

    Returns:
        One row per embedding: float32 columns ``e0``, ``e1`` … and the index ``file``, ``start``, ``end`` (s) and, for
        timestamps, ``time`` (s). ``attrs["request"]`` is what was asked of every clip, in all formats but CSV.

    Raises:
        FileNotFoundError: if the table does not exist.
        TableError: if it is not such a table, or is damaged; :class:`~byola_hear.tables.TableRefused` if its ending is
            unknown, or a package that reads it is missing.
    """
    table = open_scan(path)
    with as_read_error(table.path):
        # Not only batches with rows, because an empty one tells the columns.
        return _frame(table.kind.read(table.path), table.request, table.n_rows)


def to_dataframe(rows: Iterable[Rows], request: Request) -> pandas.DataFrame:
    """Rows as a table in memory.

    Args:
        rows: rows of clips that are complete.
        request: what was asked of every clip.

    Returns:
        A table as from :func:`read_table`.
    """
    return _frame(map(batch_of, rows), request, None)


def _frame(batches: Iterable[Batch], request: Request | None, n_rows: int | None) -> pandas.DataFrame:
    import pandas as pd

    file, numbers, embeddings = _columns(batches, request, n_rows)
    levels, codes = [], []
    for name, values in (("file", file), *numbers.items()):
        # Before 3, pandas takes different names that are not text for one.
        code, level = _factorised(file) if name == "file" else pd.factorize(values, sort=True)
        # The type that pandas chooses for text can't hold a name that is not text.
        levels.append(pd.Index(level) if name != "file" or is_text(level) else pd.Index(level, dtype=object))
        codes.append(code)
    index = pd.MultiIndex(levels, codes, names=["file", *numbers])
    columns = [f"e{place}" for place in range(embeddings.shape[1])]
    table = pd.DataFrame(embeddings, index, columns, copy=False)
    if request is not None:
        table.attrs["request"] = request.to_dict()
    return table


def _factorised(names: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Each name's place among the different names, and those in order."""
    different = sorted(set(names))
    places = {name: place for place, name in enumerate(different)}
    return np.fromiter(map(places.__getitem__, names), np.intp, len(names)), names_array(different)


def _columns(
    batches: Iterable[Batch], request: Request | None, n_rows: int | None
) -> tuple[NDArray[np.object_], dict[str, NDArray[np.float64]], NDArray[np.float32]]:
    """All rows' files, numbers by name, and embeddings. If the number of rows is known, none is copied."""
    files: list[NDArray[np.object_]] = [names_array([])]
    names = ("start", "end", "time") if request is None else request.columns[1:]
    numbers: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    pieces: list[NDArray[np.float32]] = []
    whole = None if n_rows is None or request is None else np.empty((n_rows, request.size), np.float32)
    first = 0
    for batch in batches:
        files.append(batch.file)
        for name, values in batch.numbers().items():
            numbers[name].append(values)
        if whole is None:
            pieces.append(batch.embeddings)
        else:
            whole[first : first + len(batch)] = batch.embeddings
        first += len(batch)
    if whole is None:
        size = request.size if request is not None else pieces[0].shape[1] if pieces else 0
        whole = np.concatenate([np.empty((0, size), np.float32), *pieces])
    if request is None:
        numbers = {name: values for name, values in numbers.items() if values or name != "time"}
    joined = {name: np.concatenate([np.empty(0), *values]) for name, values in numbers.items()}
    return np.concatenate(files), joined, whole[:first]
