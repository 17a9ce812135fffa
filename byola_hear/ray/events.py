"""Events of an extraction as tables, which travel from the workers of a cluster, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.rows import Done, Event, Failed, Rows

if TYPE_CHECKING:
    import pyarrow


class ClusterError(RuntimeError):
    """A cluster could not complete an extraction; the message says why."""


def packed(event: Event, index: int, position: int) -> pyarrow.Table:
    """An event as a table of one row.

    Args:
        event: the event.
        index: the clip's number.
        position: the event's number among those of the clip.
    """
    import pyarrow

    numbers, embeddings, seconds, stamp, reason = b"", b"", None, None, None
    if isinstance(event, Rows):
        times = [event.start, event.end] if event.time is None else [event.start, event.end, event.time]
        numbers = np.stack(times).astype("<f8").tobytes()
        embeddings = event.embeddings.astype("<f4").tobytes()
    elif isinstance(event, Done):
        seconds, stamp = event.seconds, event.stamp
    else:
        reason = event.reason.encode("utf-8", "surrogateescape")
    return pyarrow.table(
        {
            "index": pyarrow.array([index], pyarrow.int64()),
            "position": pyarrow.array([position], pyarrow.int64()),
            "numbers": pyarrow.array([numbers], pyarrow.large_binary()),
            "embeddings": pyarrow.array([embeddings], pyarrow.large_binary()),
            "seconds": pyarrow.array([seconds], pyarrow.float64()),
            "stamp": pyarrow.array([stamp], pyarrow.list_(pyarrow.int64())),
            "reason": pyarrow.array([reason], pyarrow.large_binary()),
        }
    )


def _unpacked(row: dict[str, Any], clip: Clip, size: int) -> Event:
    """The event that :func:`packed` made this row of. ``size``: dimensions of an embedding."""
    if row["reason"] is not None:
        return Failed(clip, row["reason"].decode("utf-8", "surrogateescape"))
    if row["seconds"] is not None:
        stamp = row["stamp"]
        return Done(clip, row["seconds"], None if stamp is None else (stamp[0], stamp[1]))
    embeddings = np.frombuffer(row["embeddings"], "<f4").reshape(-1, size)
    start, end, *time = np.frombuffer(row["numbers"], "<f8").reshape(-1, len(embeddings))
    return Rows(clip, start, end, time[0] if time else None, embeddings)


def in_order(
    clips: list[Clip], batches: Iterable[pyarrow.Table], size: int, index: int = 0, position: int = 0
) -> Iterator[Event]:
    """Each event once and in the clips' order, even if a batch was computed several times.

    Args:
        clips: all clips.
        batches: events as tables.
        size: dimensions of an embedding.
        index: number of the clip to begin with.
        position: number of its events that are known.

    Raises:
        ClusterError: if an event is missing.
    """
    for batch in batches:
        for row in batch.to_pylist():
            place = (row["index"], row["position"])
            if place < (index, position):
                continue
            if place != (index, position):
                raise ClusterError(f"the cluster has lost rows of {clips[index].file}")
            event = _unpacked(row, clips[index], size)
            yield event
            index, position = (index, position + 1) if isinstance(event, Rows) else (index + 1, 0)
    if index < len(clips):
        raise ClusterError(f"the cluster has lost rows of {clips[index].file}")
