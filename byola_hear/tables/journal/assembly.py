"""From the journal's parts, and the table that was there before, to the rows of the table in their order."""

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
    """A clip that is done: the number of its attempt, seconds of audio, its file's stamp."""

    attempt: int
    seconds: float
    stamp: Stamp


class Run(NamedTuple):
    """Rows of a clip that lie together: in which part, the first's place there, and how many."""

    file: str
    part: int
    first: int
    n_rows: int


def planned(journal: Journal, successes: Mapping[Clip, Success]) -> tuple[list[Entry], list[Run]]:
    """Where the clips' rows are.

    Args:
        journal: has the parts.
        successes: the clips wanted, in their order in the table.

    Returns:
        The table's entries, and the runs of rows that make it, in order.
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
    """The rows of runs, read in as large stretches as lie together, up to the size of a batch.

    Args:
        journal: has the parts.
        runs: from :func:`planned`.
        size: numbers in an embedding.
    """
    limit = rows_in(BATCH_BYTES, size)
    stretch: list[Run] = []
    length = 0
    for run in runs:
        while run.n_rows:
            follows = bool(stretch) and (run.part, run.first) == (stretch[0].part, stretch[0].first + length)
            if stretch and (not follows or length == limit):
                yield _read(journal, stretch, length)
                stretch, length = [], 0
            count = min(run.n_rows, limit - length)
            stretch.append(run._replace(n_rows=count))
            length += count
            run = run._replace(first=run.first + count, n_rows=run.n_rows - count)
    if stretch:
        yield _read(journal, stretch, length)


def _read(journal: Journal, stretch: list[Run], n_rows: int) -> Batch:
    rows = journal.read_rows(stretch[0].part, stretch[0].first, n_rows)
    file = np.repeat(names_array(run.file for run in stretch), [run.n_rows for run in stretch])
    columns = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    return Batch(file, columns["start"], columns["end"], columns.get("time"), columns["embedding"])


def kept_rows(path: Path, batches: Iterable[Batch], about: About, dropped: Collection[Clip]) -> Iterator[Batch]:
    """A table's rows without those of some clips.

    Args:
        path: the table.
        batches: all its rows.
        about: what it says about itself.
        dropped: the clips.

    Raises:
        TableError: if it is damaged, or does not have the rows that it says it has.
    """
    keep = np.array([entry.clip not in dropped for entry in about.entries], bool)
    wanted = np.repeat(keep, [entry.n_rows for entry in about.entries])
    first = 0
    with as_read_error(path):
        for batch in batches:
            chosen = wanted[first : first + len(batch)]
            first += len(batch)
            if first > len(wanted):
                break
            if chosen.any():
                yield batch if chosen.all() else batch[chosen]
    if first != len(wanted):
        raise TableError(f"{path} has been changed since it was written: it can't be updated, only overwritten")
