"""The store: receives the events of an extraction, keeps them through any crash, and makes a table of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType

import numpy as np

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Done, Event, Rows
from byola_hear.tables import output as outputs
from byola_hear.tables import placing
from byola_hear.tables.about import About, changed_clips, check_same
from byola_hear.tables.batches import rows_in
from byola_hear.tables.errors import TableError, TableRefused, as_read_error, as_table_error
from byola_hear.tables.failures import failures_path, read_failures, write_failures
from byola_hear.tables.formats.registry import Format
from byola_hear.tables.journal.assembly import Success, journalled_rows, kept_rows, planned
from byola_hear.tables.journal.group import Group, new_room
from byola_hear.tables.journal.parts import Journal
from byola_hear.tables.journal.recovery import recover
from byola_hear.utils.files import PathLike, work_folder
from byola_hear.utils.text import quantity

#: How long the second group of rows is kept in memory, s; the first is written with the first result.
FIRST_PATIENCE = 0.5


@dataclass(frozen=True)
class Finished:
    """The result of a run.

    Attributes:
        output: the table; None if no clip succeeded. No table is written then, and an existing one stays.
        errors: the table of the clips that failed, with the reasons, those of earlier runs included after an update;
            None if no clip failed.
        n_clips: number of clips in the table.
        n_rows: number of rows in the table.
        seconds: length of the audio of the table's clips, s.
        n_failed: number of clips of this run that failed.
    """

    output: Path | None
    errors: Path | None
    n_clips: int
    n_rows: int
    seconds: float
    n_failed: int


def open_store(
    output: PathLike,
    request: Request,
    clips: Iterable[Clip],
    *,
    format: str | None = None,
    overwrite: bool = False,
    update: bool = False,
    group_megabytes: float = 64,
    group_seconds: float = 60,
) -> Store:
    """Begin a table, or continue one that a run before did not finish.

    Rows are kept in a work folder next to the output, ``<output>.parts``, until :meth:`Store.finish` makes the table. A
    clip that succeeded in an earlier run is not embedded again, unless its file's size or modification time has
    changed. A clip that failed is tried again.

    Args:
        output: the table to write. Its ending decides the format, see :data:`byola_hear.tables.ENDINGS`. An existing
            folder, or a path with a slash at its end, gives a folder with one ``.npy`` per file.
        request: what is asked of every clip.
        clips: the clips of this run; the table has only theirs. Duplicates are ignored.
        format: the format, see :data:`byola_hear.tables.formats.registry.FORMATS`; None to choose it by the ending.
        overwrite: replace an existing table once the new one is complete, and discard unfinished work of another
            request.
        update: keep an existing table's clips and add to them. Clips whose files have changed are embedded again; their
            old rows are dropped, even if they fail this time. If no row would be left, the table stays as it was.
            The table of errors keeps the lines of clips that are not asked for and whose files still exist.
        group_megabytes: size of the rows that are kept in memory before they are written, MB. A crash costs at most
            these.
        group_seconds: time that rows are kept in memory at most, s. In the beginning it is shorter: the first result is
            written at once, and each group is kept twice as long as the one before. So a run that is killed every few
            seconds makes progress.

    Returns:
        The store, a context manager.

    Raises:
        TableRefused: if the table can't be begun: it exists, another process is writing it, the work folder or the
            table to update has another request, or the format is unknown or needs a package that is not installed.
        TableError: if nothing can be written there, or what exists is damaged.
        ValueError: if an argument is not as described.
    """
    if overwrite and update:
        raise ValueError("expected overwrite or update, got both")
    if not group_megabytes > 0:
        raise ValueError(f"group_megabytes must be positive, got {group_megabytes!r}")
    path, kind = outputs.check_output(output, format, overwrite=overwrite, update=update)
    with as_table_error(path):
        journal = Journal(work_folder(path), request, overwrite)
        try:
            outputs.recover(kind, path, journal.folder)
            # Another process may have written the table since it was checked.
            outputs.check_output(output, format, overwrite=overwrite, update=update)
            old = _old(path, kind, request) if update else None
            failed = read_failures(failures_path(path)) if update else []
            return Store(path, kind, request, clips, journal, old, failed, overwrite, group_megabytes, group_seconds)
        except BaseException:
            journal.close()
            raise


def _old(path: Path, kind: Format, request: Request) -> About | None:
    """The record of the table that is to be updated; None if it does not exist."""
    if not kind.CARRIES_ABOUT or not placing.exists(kind.PLACING, path):
        return None
    with as_read_error(path):
        about = kind.read_about(path)
    if about is None:
        raise TableRefused(outputs.not_updatable(path))
    check_same(path, about.request.to_dict(), request, "give the same settings, or remove it")
    return about


class Store:
    """A table that is being made; from :func:`open_store`.

    Leaving its block without :meth:`finish` keeps the finished clips for another run.

    Attributes:
        output: the table to write.
        work: the folder with the rows until then.
        done: the clips that were asked for and need not be embedded again.
    """

    def __init__(
        self,
        output: Path,
        kind: Format,
        request: Request,
        clips: Iterable[Clip],
        journal: Journal,
        old: About | None,
        old_failed: Iterable[tuple[Clip, str]],
        overwrite: bool,
        group_megabytes: float,
        group_seconds: float,
    ) -> None:
        self.output, self.work = output, journal.folder
        self._format, self._request, self._journal, self._old = kind, request, journal, old
        self._overwrite, self._group_seconds, self._patience = overwrite, group_seconds, 0.0
        self._clips = dict.fromkeys(clips)
        # Of a file that was renamed or removed, nothing is left to embed.
        self._still_failed = [
            (clip, reason) for clip, reason in old_failed if clip not in self._clips and os.path.lexists(clip.file)
        ]
        self._successes, self._next_attempt, next_part = recover(journal, self._clips)
        self._failures: dict[Clip, str] = {}
        asked = () if old is None else [entry for entry in old.entries if entry.clip in self._clips]
        changed = changed_clips((entry.clip, entry.stamp) for entry in asked)
        self.done = frozenset(self._successes).union(entry.clip for entry in asked if entry.clip not in changed)
        #: Clips that have begun: the attempt's number, and how many rows it has so far.
        self._begun: dict[Clip, tuple[int, int]] = {}
        room = rows_in(int(group_megabytes * 1e6), request.size)
        self._group = Group(next_part, new_room(room, journal.row_type))
        self._is_open = True

    def add(self, event: Event) -> None:
        """Add an event. It is written to disk when its group is full, or after ``group_seconds``.

        Args:
            event: an event of a clip that was asked for. The events of a clip come in their order; those of other clips
                may come between them.

        Raises:
            ValueError: if the event does not fit the request, or its clip was not asked for.
            TableError: if the group can't be written; what was written before is kept for another run.
        """
        clip = event.clip
        if clip not in self._clips:
            raise ValueError(f"expected an event of a clip that was asked for, got one of {clip}")
        if clip not in self._begun:
            self._begun[clip] = (self._next_attempt, 0)
            self._next_attempt += 1
        attempt, n_rows = self._begun[clip]
        if isinstance(event, Rows):
            self._check(event)
            self._begun[clip] = (attempt, n_rows + len(event))
            first = 0
            while first < len(event):
                first += self._group.take(attempt, event, first)
                if self._group.is_full:
                    self._write_group()
        elif isinstance(event, Done):
            self._group.done(attempt, clip, event.seconds, event.stamp, n_rows)
            self._successes[clip] = Success(attempt, event.seconds, event.stamp)
            self._failures.pop(clip, None)
            del self._begun[clip]
        else:
            self._group.failed(attempt, clip, event.reason)
            self._successes.pop(clip, None)
            self._failures[clip] = event.reason
            del self._begun[clip]
        waited = time.monotonic() - self._group.began
        # Rows of a clip that has no result yet are of no use to another run.
        if waited >= (self._group_seconds if isinstance(event, Rows) else self._patience):
            self._write_group()
            self._patience = min(max(2 * self._patience, FIRST_PATIENCE), self._group_seconds)

    def _check(self, rows: Rows) -> None:
        array, size = rows.embeddings, self._request.size
        if array.ndim != 2 or array.shape[1] != size or array.dtype != np.float32:
            raise ValueError(f"expected float32 embeddings (n_rows, {size}), got {array.dtype} {array.shape}")
        if (rows.time is not None) != ("time" in self._request.columns):
            raise ValueError(f"{self._request.kind} rows have {'no ' * (self._request.kind == 'scene')}time")
        for name, values in (("start", rows.start), ("end", rows.end), ("time", rows.time)):
            if values is not None and values.shape != array.shape[:1]:
                raise ValueError(f"expected {name} of shape {array.shape[:1]}, got {values.shape}")

    def _write_group(self) -> None:
        group = self._group
        if not group.is_empty:
            with self._table_error():
                self._journal.write_part(group.number, group.rows, group.record)
        # A single assignment: after an interruption, the group is either written again under its number or is new.
        self._group = Group(group.number + (not group.is_empty), group.room)

    @contextlib.contextmanager
    def _table_error(self) -> Iterator[None]:
        kept = f"; finished clips are kept in {self.work}, and the same command continues"
        advice = kept if self.work.is_dir() else ""
        try:
            with as_table_error(self.output, advice):
                yield
        except TableError:
            self._is_open = False
            raise

    def finish(self) -> Finished:
        """Write the table and the table of errors, and remove the work folder.

        The clips are in the order in which they were asked for, not in the order of the events. After an update,
        those that the table had before come first.

        Returns:
            What was written, and how many clips failed.

        Raises:
            ValueError: if a clip has neither succeeded nor failed.
            TableError: if the table can't be written; finished clips are kept, and an existing table stays.
        """
        missing = [clip for clip in self._clips if not (clip in self.done or self._has_verdict(clip))]
        if missing:
            clips = quantity(len(missing), "clip")
            raise ValueError(f"{clips} neither succeeded nor failed, the first of them {missing[0]}")
        self._write_group()
        successes = {clip: self._successes[clip] for clip in self._clips if clip in self._successes}
        failed = [(clip, self._failures[clip]) for clip in self._clips if clip in self._failures]
        with self._table_error():
            about = self._assembled(successes, {clip for clip, _ in failed})
            listed = self._still_failed + failed
            errors = write_failures(failures_path(self.output), listed)
            self._is_open = False
            self._journal.remove()
        return Finished(
            output=self.output if about.entries else None,
            errors=errors,
            n_clips=len(about.entries),
            n_rows=about.n_rows,
            seconds=sum(entry.seconds for entry in about.entries),
            n_failed=len(failed),
        )

    def _has_verdict(self, clip: Clip) -> bool:
        return clip in self._successes or clip in self._failures

    def _assembled(self, successes: dict[Clip, Success], failed: set[Clip]) -> About:
        """Write the table, unless it would be empty or unchanged."""
        entries, runs = planned(self._journal, successes)
        batches = journalled_rows(self._journal, runs, self._request.size)
        if self._old is not None:
            dropped = failed.union(successes)
            kept = [entry for entry in self._old.entries if entry.clip not in dropped]
            if not entries and len(kept) == len(self._old.entries):
                return self._old
            entries = kept + entries
            batches = chain(kept_rows(self.output, self._format.read(self.output), self._old, dropped), batches)
        about = About(self._request, entries)
        if entries:
            outputs.write(self._format, self.output, self._journal, batches, about, self._overwrite)
        return about

    def close(self) -> None:
        """Write the finished clips and unlock the work folder for other processes."""
        if not self._is_open:
            self._journal.close()
            return
        self._is_open = False
        self._group.drop_last({attempt for attempt, _ in self._begun.values()})
        try:
            self._write_group()
        finally:
            self._journal.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The error that ended the run says more than that its last group could not be written.
        with contextlib.suppress(*([TableError, OSError] if error is not None else [])):
            self.close()
