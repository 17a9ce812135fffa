"""The store: takes an extraction's events as they come, keeps them through any crash, makes a table of them."""

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
from byola_hear.tables.failures import failures_path, write_failures
from byola_hear.tables.formats.registry import Format
from byola_hear.tables.journal.assembly import Success, journalled_rows, kept_rows, planned
from byola_hear.tables.journal.group import Group, new_room
from byola_hear.tables.journal.parts import Journal
from byola_hear.tables.journal.recovery import recover


@dataclass(frozen=True)
class Finished:
    """What came of a run.

    Attributes:
        output: the table; None if no clip succeeded: then none is written, and what was there stays.
        errors: the table of the clips that failed, with their reasons; None if none did.
        n_clips: clips in the table.
        n_rows: rows in the table.
        seconds: of audio in the table's clips.
        n_failed: clips that failed.
    """

    output: Path | None
    errors: Path | None
    n_clips: int
    n_rows: int
    seconds: float
    n_failed: int


def open_store(
    output: str | os.PathLike[str],
    request: Request,
    clips: Iterable[Clip],
    *,
    format: str | None = None,
    overwrite: bool = False,
    update: bool = False,
    group_megabytes: float = 64,
    group_seconds: float = 60,
) -> Store:
    """Begin a table, or go on with it where a run before was cut off.

    Rows wait in a work folder beside the output, ``<output>.parts``, until :meth:`Store.finish` makes the table of
    them. A clip that was done there, and whose file has the size and time of change that it had then, is done; one
    that failed there is tried again.

    Args:
        output: the table to be. Its ending decides the format, see :data:`byola_hear.tables.ENDINGS`; a folder, there
            already or ending in a slash, is one ``.npy`` a file.
        request: what is asked of every clip.
        clips: the clips of this run; only theirs will be in the table. One that comes again is passed over.
        format: the format, where the ending is not to decide; see :data:`byola_hear.tables.formats.registry.FORMATS`.
        overwrite: replace a table that is there, once the new one is complete, and throw away unfinished work that was
            begun with another request.
        update: keep what the table that is there holds and add to it: its clips are done, unless their files changed.
            Rows of a clip that is embedded again go, also if it fails; only if no row at all would be left, the table
            stays as it was.
        group_megabytes: rows in memory before they are written; what a crash costs at most.
        group_seconds: how long rows wait in memory at most before they are written.

    Returns:
        The store, a context manager.

    Raises:
        TableRefused: if this can't be begun: the output is there already, another process writes it, the work folder or
            the table to be updated is of another request, the format is not known or needs a package that is missing.
        TableError: if nothing can be written there, or what is there is damaged.
        ValueError: if an argument makes no sense.
    """
    if overwrite and update:
        raise ValueError("expected overwrite or update, got both")
    if not group_megabytes > 0:
        raise ValueError(f"group_megabytes must be positive, got {group_megabytes!r}")
    path, kind = outputs.check_output(output, format, overwrite=overwrite, update=update)
    with as_table_error(path):
        journal = Journal(outputs.work_folder(path), request, overwrite)
        try:
            outputs.recover(kind, path, journal.folder)
            # Another process may have written the table while this one was looking.
            outputs.check_output(output, format, overwrite=overwrite, update=update)
            old = _old(path, kind, request) if update else None
            return Store(path, kind, request, clips, journal, old, overwrite, group_megabytes, group_seconds)
        except BaseException:
            journal.close()
            raise


def _old(path: Path, kind: Format, request: Request) -> About | None:
    """What the table that is to be updated says about itself; None if there is none."""
    if not kind.CARRIES_ABOUT or not placing.exists(kind.PLACING, path):
        return None
    with as_read_error(path):
        about = kind.read_about(path)
    if about is None:
        raise TableRefused(outputs.not_updatable(path))
    check_same(path, about.request.to_dict(), request, "give the same settings, or overwrite it")
    return about


class Store:
    """Made by :func:`open_store`; leaving its block without :meth:`finish` keeps what is done for another run.

    Attributes:
        output: the table to be.
        work: the folder in which rows wait.
        done: the clips, of those asked for, that need not be embedded again.
    """

    def __init__(
        self,
        output: Path,
        kind: Format,
        request: Request,
        clips: Iterable[Clip],
        journal: Journal,
        old: About | None,
        overwrite: bool,
        group_megabytes: float,
        group_seconds: float,
    ) -> None:
        self.output, self.work = output, journal.folder
        self._format, self._request, self._journal, self._old = kind, request, journal, old
        self._overwrite, self._group_seconds = overwrite, group_seconds
        self._clips = dict.fromkeys(clips)
        self._successes, self._next_attempt, next_part = recover(journal, self._clips)
        self._failures: dict[Clip, str] = {}
        asked = () if old is None else [entry for entry in old.entries if entry.clip in self._clips]
        changed = changed_clips((entry.clip, entry.stamp) for entry in asked)
        self.done = frozenset(self._successes).union(entry.clip for entry in asked if entry.clip not in changed)
        #: Clips that are begun: the numbers of the attempt and of its rows up to now.
        self._begun: dict[Clip, tuple[int, int]] = {}
        room = rows_in(int(group_megabytes * 1e6), request.size)
        self._group = Group(next_part, new_room(room, journal.row_type))
        self._is_open = True

    def add(self, event: Event) -> None:
        """Take an event; it is on disk once its group is full or has waited for long enough.

        Args:
            event: of an extraction of the clips that were asked for. A clip's events come in their order; those of
                other clips may come between them.

        Raises:
            ValueError: if the event does not fit the request, or its clip was not asked for.
            TableError: if the group can't be written; what was written before stays for another run.
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
        if time.monotonic() - self._group.began >= self._group_seconds:
            self._write_group()

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
        # One assignment: after an interruption the group is written again under its number, or it is the next one.
        self._group = Group(group.number + (not group.is_empty), group.room)

    @contextlib.contextmanager
    def _table_error(self) -> Iterator[None]:
        kept = f"; what was done is kept in {self.work}, the same command goes on with it"
        advice = kept if self.work.is_dir() else ""
        try:
            with as_table_error(self.output, advice):
                yield
        except TableError:
            self._is_open = False
            raise

    def finish(self) -> Finished:
        """Make the table and the table of errors, and remove the work folder.

        The clips are in the order in which they were asked for, whatever the order of the events; in an update, those
        that the table has already come first.

        Returns:
            What came of it.

        Raises:
            ValueError: if a clip is neither done nor failed.
            TableError: if the table can't be written; what was done is kept, and what was there before stays.
        """
        missing = [clip for clip in self._clips if not (clip in self.done or self._has_verdict(clip))]
        if missing:
            raise ValueError(f"{len(missing)} clips are neither done nor failed, the first of them {missing[0]}")
        self._write_group()
        successes = {clip: self._successes[clip] for clip in self._clips if clip in self._successes}
        failed = [(clip, self._failures[clip]) for clip in self._clips if clip in self._failures]
        with self._table_error():
            about = self._assembled(successes, {clip for clip, _ in failed})
            errors = write_failures(failures_path(self.output), failed, self.work / "errors.tmp")
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
        """Write the table, unless it would hold nothing or what it holds already."""
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
        """Write what is done and let other processes at the work folder."""
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
        # What broke off the run says more than that its last group could not be written either.
        with contextlib.suppress(*([TableError, OSError] if error is not None else [])):
            self.close()
