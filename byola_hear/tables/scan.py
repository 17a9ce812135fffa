"""Tables that do not fit into memory: read from the first row to the last, some rows at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.request import Request
from byola_hear.tables import placing
from byola_hear.tables.batches import Batch
from byola_hear.tables.errors import as_read_error
from byola_hear.tables.formats.registry import Format, chosen_format
from byola_hear.utils.files import PathLike


@dataclass(frozen=True)
class Scan:
    """A table on disk that is read in batches of rows.

    Attributes:
        path: the table.
        kind: its format.
        request: what was asked of every clip; None for CSV, which does not say.
        n_rows: number of rows; None for CSV.
    """

    path: Path
    kind: Format
    request: Request | None
    n_rows: int | None

    @property
    def name(self) -> str:
        """The table, for messages."""
        return str(self.path)

    def batches(self) -> Iterator[Batch]:
        """Read the rows in order. The next batch is read while the last one is worked on.

        Raises:
            TableError: if the table is damaged.
        """
        with as_read_error(self.path), closing(_ahead(self.kind.read(self.path))) as batches:
            for batch in batches:
                if len(batch):
                    yield batch


def open_scan(path: PathLike) -> Scan:
    """Open a table of embeddings to read it in batches.

    Args:
        path: the table's file or folder, in any of the formats.

    Returns:
        The table.

    Raises:
        FileNotFoundError: if the table does not exist.
        TableError: if it is not such a table, or is damaged; :class:`~byola_hear.tables.TableRefused` if its ending is
            unknown, or a package that reads it is missing.
    """
    where, kind = chosen_format(path)
    if not placing.exists(kind.PLACING, where):
        raise FileNotFoundError(f"no table of embeddings: {where}")
    with as_read_error(where):
        about = kind.read_about(where)
    return Scan(where, kind, *((None, None) if about is None else (about.request, about.n_rows)))


def spread_rows(batches: Iterator[Batch], count: int) -> NDArray[np.float32]:
    """Take rows at equal distances from all rows, however many there are.

    Args:
        batches: the rows.
        count: number of rows.

    Returns:
        ``(n, size)`` embeddings: all if there are at most ``count``, else ``count / 2`` to ``count``.
    """
    taken: list[NDArray[np.float32]] = []
    step, first = 1, 0
    for batch in batches:
        places = np.arange(-first % step, len(batch), step)
        taken += list(batch.embeddings[places])
        first += len(batch)
        while len(taken) > count:
            taken, step = taken[::2], step * 2
    return np.stack(taken) if taken else np.empty((0, 0), np.float32)


def _ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same batches, each read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = reader.submit(next, batches, None)
            yield batch
