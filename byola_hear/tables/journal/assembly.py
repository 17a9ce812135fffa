"""From the parts of the journal and an existing table to the rows of the new table in their order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from byola_hear.extraction.clips import Clip
from byola_hear.tables.about import About, Entry
from byola_hear.tables.batches import BATCH_BYTES, Batch, names_array, rows_in
from byola_hear.tables.errors import TableError, as_read_error
from byola_hear.tables.journal.parts import Journal
from byola_hear.utils.files import Stamp


class Success(NamedTuple):
    """The success of a clip: the attempt's number, the length of its audio in s, and its file's stamp."""

    attempt: int
    seconds: float
    stamp: Stamp


class Run(NamedTuple):
    """Consecutive rows of a clip: their part, the place of the first one in it, and their number."""

    file: str
    part: int
    first: int
    n_rows: int


def planned(journal: Journal, successes: Mapping[Clip, Success]) -> tuple[list[Entry], list[Run]]:
    """Find the rows of clips.

    Args:
        journal: the journal.
        successes: the clips, in their order in the table.

    Returns:
        The table's entries, and its runs of rows, both in order.
    """
    runs: dict[int, list[Run]] = {success.attempt: [] for success in successes.values()}
    files = {success.attempt: clip.file for clip, success in successes.items()}
    for number, record in journal.records():
        first = 0
        for attempt, n_rows in record.runs:
            if attempt in runs:
                runs[attempt].append(Run(files[attempt], number, first, n_rows))
            first += n_rows
    entries = [
        Entry(clip, success.seconds, success.stamp, sum(run.n_rows for run in runs[success.attempt]))
        for clip, success in successes.items()
    ]
    return entries, [run for success in successes.values() for run in runs[success.attempt]]


def journalled_rows(journal: Journal, runs: Iterable[Run], size: int) -> Iterator[Batch]:
    """Read the rows of runs, as many consecutive rows at a time as fit into a batch.

    Args:
        journal: the journal.
        runs: the runs, from :func:`planned`.
        size: dimensions of an embedding.
    """
    limit = rows_in(BATCH_BYTES, size)
    together: list[Run] = []
    length = 0
    for run in runs:
        while run.n_rows:
            follows = bool(together) and (run.part, run.first) == (together[0].part, together[0].first + length)
            if together and (not follows or length == limit):
                yield _read(journal, together, length)
                together, length = [], 0
            count = min(run.n_rows, limit - length)
            together.append(run._replace(n_rows=count))
            length += count
            run = run._replace(first=run.first + count, n_rows=run.n_rows - count)
    if together:
        yield _read(journal, together, length)


def _read(journal: Journal, together: list[Run], n_rows: int) -> Batch:
    rows = journal.read_rows(together[0].part, together[0].first, n_rows)
    file = np.repeat(names_array(run.file for run in together), [run.n_rows for run in together])
    columns = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    return Batch(file, columns["start"], columns["end"], columns.get("time"), columns["embedding"])


def kept_rows(path: Path, batches: Iterable[Batch], about: About, dropped: Collection[Clip]) -> Iterator[Batch]:
    """A table's rows without those of some clips.

    Args:
        path: the table.
        batches: all its rows.
        about: its record of itself.
        dropped: the clips to leave out.

    Raises:
        TableError: if the table is damaged, or its rows do not match its record.
    """
    keep = np.array([entry.clip not in dropped for entry in about.entries], bool)
    n_rows = [entry.n_rows for entry in about.entries]
    wanted, files = np.repeat(keep, n_rows), np.repeat(names_array(entry.clip.file for entry in about.entries), n_rows)
    first = 0
    with as_read_error(path):
        for batch in batches:
            here = slice(first, first + len(batch))
            chosen = wanted[here]
            # Other programs may have sorted the rows.
            if not np.array_equal(files[here], batch.file):
                break
            first += len(batch)
            if chosen.any():
                yield batch if chosen.all() else batch[chosen]
    if first != len(wanted):
        raise TableError(f"{path} was changed after it was written, so it can be overwritten but not updated")
