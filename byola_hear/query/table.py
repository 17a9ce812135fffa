"""The rows of a table, in memory or on disk, compared with the direction of a query, or kept in an index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byola_hear.analysis.search import LEAST_ROWS, SAMPLE_ROWS, Space
from byola_hear.extraction.request import Request
from byola_hear.tables import Scan, TableError, TableRefused
from byola_hear.tables.batches import BATCH_BYTES, Batch, names_array, rows_in
from byola_hear.tables.scan import spread_rows
from byola_hear.tables.search_index import Index, Rows, RowsBuilder, about_table, read_index, write_index
from byola_hear.utils.files import PathLike

if TYPE_CHECKING:
    import pandas

#: Bytes of embeddings up to which a table on disk is read once instead of twice, first for the standardisation.
_KEPT_BYTES = 3 << 29


@dataclass(frozen=True)
class Frame:
    """A table in memory, read as a :class:`~byola_hear.tables.Scan` is."""

    frame: pandas.DataFrame
    request: Request | None
    name: str = "the table"

    @classmethod
    def of(cls, frame: pandas.DataFrame) -> Frame:
        missing = [name for name in ("file", "start", "end") if name not in frame.index.names]
        if missing:
            raise TableRefused(f"expected a table with the index file, start, end; no {', '.join(missing)} in it")
        about = frame.attrs.get("request")
        request = None if about is None else Request(**about)
        if request is None and "time" in frame.index.names:
            raise TableRefused("expected a table of scenes, got one of timestamps")
        # By their names: pandas may have sorted them, e10 before e2, and there may be others, such as labels.
        names = [*takewhile(frame.columns.__contains__, (f"e{place}" for place in count()))]
        return cls(frame[names] if names and names != list(frame.columns) else frame, request)

    def batches(self) -> Iterator[Batch]:
        values = self.frame.to_numpy(np.float32)
        columns = [np.asarray(self.frame.index.get_level_values(name)) for name in ("file", "start", "end")]
        step = rows_in(BATCH_BYTES, max(1, values.shape[1]))
        for first in range(0, len(values), step):
            file, start, end = (column[first : first + step] for column in columns)
            yield Batch(
                names_array(file), start.astype(np.float64), end.astype(np.float64), None, values[first : first + step]
            )


def scored(
    source: Scan | Frame, queries: NDArray[np.float32], excluded: NDArray[np.float32] | None, cosine: str
) -> tuple[NDArray[np.float32], Rows]:
    """Score each row of a table.

    Args:
        source: the table.
        queries: ``(n_queries, size)`` embeddings to look for.
        excluded: ``(n, size)`` embeddings to stay away from, or None.
        cosine: ``"standardised"`` or ``"plain"``.

    Returns:
        ``(n_rows,)`` scores, and the rows.

    Raises:
        TableError: if the table is empty, of other embeddings, or holds NaN or infinity.
    """
    space, batches = _space(source, queries.shape[1]) if cosine == "standardised" else (Space(), None)
    direction = space.direction(queries, excluded)
    builder, scores = RowsBuilder(), []
    for batch in _checked(source, queries.shape[1]) if batches is None else batches:
        scores.append(space.scores(batch.embeddings, direction))
        _refuse(source, batch, ~np.isnan(scores[-1]))
        builder.add(batch)
    if not scores:
        raise TableError(f"{source.name}: the table is empty")
    return np.concatenate(scores), builder.finish()


def indexed(source: Scan, path: PathLike, size: int) -> Index:
    """Read the index of a table, or make it if there is none of the table's present state.

    Args:
        source: the table.
        path: the index.
        size: dimensions of the query's embeddings.

    Returns:
        The index.

    Raises:
        TableError: if the table is empty, of other embeddings, or holds NaN or infinity, or the index is damaged.
    """
    about = about_table(source)
    index = read_index(path, about)
    if index is not None:
        width = index.vectors.shape[1] if index.space.axes is None else len(index.space.axes)
        if width != size:
            raise TableRefused(f"{os.fsdecode(path)} has embeddings of {width} dimensions, the query has {size}")
        return index
    space, batches = _space(source, size)
    builder, vectors = RowsBuilder(), []
    for batch in _checked(source, size) if batches is None else batches:
        vectors.append(space.units(batch.embeddings))
        _refuse(source, batch, np.asarray(np.isfinite(vectors[-1]).all(1)))
        builder.add(batch)
    if not vectors:
        raise TableError(f"{source.name}: the table is empty")
    index = Index(space, np.concatenate(vectors), builder.finish())
    write_index(path, index, about)
    return index


def _space(source: Scan | Frame, size: int) -> tuple[Space, list[Batch] | None]:
    """The standardisation of a table, and its batches if they may be kept in memory."""
    kept = list(_checked(source, size)) if _fits(source) else None
    sample = spread_rows(iter(_checked(source, size) if kept is None else kept), SAMPLE_ROWS)
    # What is not finite is reported when its row is compared.
    usable = len(sample) >= LEAST_ROWS and np.isfinite(sample).all()
    return Space.fitted(sample) if usable else Space(), kept


def _refuse(source: Scan | Frame, batch: Batch, finite: NDArray[np.bool_]) -> None:
    """Refuse a batch with rows that are not finite."""
    if not finite.all():
        raise TableError(f"{source.name}: holds NaN or infinity, first in a row of {batch.file[finite.argmin()]}")


def _fits(source: Scan | Frame) -> bool:
    """Whether a table is in memory, or may be kept there."""
    if isinstance(source, Frame):
        return True
    request, n_rows = source.request, source.n_rows
    return request is not None and n_rows is not None and n_rows * request.size * 4 <= _KEPT_BYTES


def _checked(source: Scan | Frame, size: int) -> Iterator[Batch]:
    """The batches of a table, if they are of scenes and of the queries' size."""
    for batch in source.batches():
        if batch.time is not None:
            raise TableRefused(f"{source.name} is a table of timestamps; expected one of scenes")
        if batch.embeddings.shape[1] != size:
            raise TableRefused(
                f"{source.name} has embeddings of {batch.embeddings.shape[1]} dimensions, the query has {size}; "
                "a query needs the model that made the table"
            )
        yield batch
