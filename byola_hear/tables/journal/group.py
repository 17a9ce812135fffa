"""A group: rows and results of clips in memory, until they are written as one part of the journal."""

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
    """Rows and results of clips that are not written yet.

    Args:
        number: the number of the part that the group will become.
        room: ``(capacity,)`` of :func:`byola_hear.tables.journal.parts.row_type`, memory for rows. Groups may use it
            one after the other.
    """

    def __init__(self, number: int, room: NDArray[np.void]) -> None:
        self.number, self.room = number, room
        self.record = Record()
        self.began = time.monotonic()
        self._n_rows = 0

    @property
    def is_empty(self) -> bool:
        """Whether the group has neither rows nor results."""
        return not (self.record.runs or self.record.done or self.record.failed)

    @property
    def is_full(self) -> bool:
        """Whether the group has no room for another row."""
        return self._n_rows == len(self.room)

    @property
    def rows(self) -> NDArray[np.void]:
        """The rows that the record mentions."""
        return self.room[: sum(n_rows for _, n_rows in self.record.runs)]

    def take(self, attempt: int, rows: Rows, first: int) -> int:
        """Copy a clip's rows, beginning with row ``first``, as many as there is room for.

        Returns:
            The number of rows that were copied.
        """
        count = min(len(rows) - first, len(self.room) - self._n_rows)
        there, here = self.room[self._n_rows : self._n_rows + count], slice(first, first + count)
        there["start"], there["end"] = rows.start[here], rows.end[here]
        if rows.time is not None:
            there["time"] = rows.time[here]
        there["embedding"] = rows.embeddings[here]
        self._mention(attempt, rows.clip)
        # Recorded only now, because an interruption may come between any two lines.
        self.record.runs.append((attempt, count))
        self._n_rows += count
        return count

    def done(self, attempt: int, clip: Clip, seconds: float, stamp: Stamp, n_rows: int) -> None:
        """Record that an attempt has succeeded, with ``n_rows`` rows in all."""
        self._mention(attempt, clip)
        self.record.done[attempt] = (seconds, stamp, n_rows)

    def failed(self, attempt: int, clip: Clip, reason: str) -> None:
        """Record that an attempt has failed."""
        self._mention(attempt, clip)
        self.record.failed[attempt] = reason

    def _mention(self, attempt: int, clip: Clip) -> None:
        self.record.clips[attempt] = (clip.file, clip.start, clip.end)

    def drop_last(self, attempts: Collection[int]) -> None:
        """Drop rows of these attempts from the end. No rows can be added after this."""
        while self.record.runs and self.record.runs[-1][0] in attempts:
            self.record.runs.pop()


def new_room(n_rows: int, row_type: np.dtype[Any]) -> NDArray[np.void]:
    """Memory for a group's rows."""
    return np.empty(n_rows, row_type)
