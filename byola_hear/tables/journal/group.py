"""A group: rows and verdicts in memory, until they are written as one part of the journal."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.rows import Rows
from byola_hear.tables.journal.parts import Record
from byola_hear.utils.files import Stamp


class Group:
    """Rows and verdicts that wait.

    Args:
        number: of the part that they will be.
        room: ``(capacity,)`` of :func:`byola_hear.tables.journal.parts.row_type`: where to keep rows. A group
            may have that of the one before.
    """

    def __init__(self, number: int, room: NDArray[np.void]) -> None:
        self.number, self.room = number, room
        self.record = Record()
        self.began = time.monotonic()
        self._n_rows = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not (self.record.runs or self.record.done or self.record.failed)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another row."""
        return self._n_rows == len(self.room)

    @property
    def rows(self) -> NDArray[np.void]:
        """The rows, as the record has them."""
        return self.room[: sum(n_rows for _, n_rows in self.record.runs)]

    def take(self, attempt: int, rows: Rows, first: int) -> int:
        """Copy a clip's rows from ``first`` on, as many as there is room for.

        Returns:
            How many.
        """
        count = min(len(rows) - first, len(self.room) - self._n_rows)
        there, here = self.room[self._n_rows : self._n_rows + count], slice(first, first + count)
        there["start"], there["end"] = rows.start[here], rows.end[here]
        if rows.time is not None:
            there["time"] = rows.time[here]
        there["embedding"] = rows.embeddings[here]
        self._mention(attempt, rows.clip)
        # What is recorded is there: an interruption may come between any two lines.
        self.record.runs.append((attempt, count))
        self._n_rows += count
        return count

    def done(self, attempt: int, clip: Clip, seconds: float, stamp: Stamp, n_rows: int) -> None:
        """Note that an attempt has succeeded, with so many rows in all."""
        self._mention(attempt, clip)
        self.record.done[attempt] = (seconds, stamp, n_rows)

    def failed(self, attempt: int, clip: Clip, reason: str) -> None:
        """Note that an attempt has failed."""
        self._mention(attempt, clip)
        self.record.failed[attempt] = reason

    def _mention(self, attempt: int, clip: Clip) -> None:
        self.record.clips[attempt] = (clip.file, clip.start, clip.end)

    def drop_last(self, attempts: Collection[int]) -> None:
        """Drop the rows of these attempts from the end; the group takes no more."""
        while self.record.runs and self.record.runs[-1][0] in attempts:
            self.record.runs.pop()


def new_room(n_rows: int, row_type: np.dtype[Any]) -> NDArray[np.void]:
    """Room for a group's rows."""
    return np.empty(n_rows, row_type)
