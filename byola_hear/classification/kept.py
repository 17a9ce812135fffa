"""Embeddings to learn from that are kept in a table, so that a second run needs no audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Event, Failed, Rows
from byola_hear.models.model import ByolaModel
from byola_hear.tables import open_scan, open_store
from byola_hear.tables.errors import TableError, as_read_error
from byola_hear.utils.files import PathLike


def kept_events(
    path: PathLike,
    clips: Sequence[Clip],
    model: ByolaModel,
    request: Request,
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Iterator[Rows | Failed]:
    """Embed the clips that a table lacks, add them to it, and read the rows of all clips from it.

    Args:
        path: the table; made if it does not exist. Clips whose files have changed are embedded again.
        clips: segments of recordings.
        model: the network.
        request: what is asked of each clip.
        workers: number of threads that decode.
        on_event: called with each event of the extraction.

    Yields:
        The rows of the clips, and the clips that could not be embedded.

    Raises:
        TableError: if the table can't be written, is damaged, or (:class:`~byola_hear.tables.TableRefused`) is of
            another network or another window.
    """
    wanted, failures = set(clips), []
    with open_store(path, request, clips, update=True) as store:
        for event in extract([clip for clip in clips if clip not in store.done], model, request, workers):
            store.add(event)
            if on_event is not None:
                on_event(event)
            if isinstance(event, Failed):
                failures.append(event)
        finished = store.finish()
    yield from failures
    if finished.output is not None:
        failed = {failure.clip for failure in failures}
        yield from (rows for rows in _rows(finished.output) if rows.clip in wanted and rows.clip not in failed)


def kept_window(path: PathLike) -> float | None:
    """The window of a table in which embeddings are kept, s; None if there is no such table yet, or it does not say.

    Raises:
        TableError: if the table is damaged, or its ending is unknown.
    """
    try:
        request = open_scan(path).request
    except FileNotFoundError:
        return None
    return None if request is None else request.window


def _rows(path: PathLike) -> Iterator[Rows]:
    """The rows of a table, clip by clip; those of a long clip in several pieces."""
    scan = open_scan(path)
    with as_read_error(scan.path):
        about = scan.kind.read_about(scan.path)
    entries = iter(about.entries if about is not None else ())
    clip, remaining = Clip(""), 0
    for batch in scan.batches():
        first = 0
        while first < len(batch):
            while not remaining:
                entry = next(entries)
                clip, remaining = entry.clip, entry.n_rows
            here = batch[first : first + remaining]
            # Other programs may have sorted the rows.
            if (here.file != clip.file).any():
                raise TableError(f"{scan.path} was changed after it was written; remove it, and it is made again")
            yield Rows(clip, here.start, here.end, None, here.embeddings)
            first, remaining = first + len(here), remaining - len(here)
