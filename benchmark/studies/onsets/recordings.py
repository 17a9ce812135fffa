"""Recordings with events from an event task, and a network's frame features along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from benchmark.tasks.task import Event, Item
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN
from byola_hear.models.pooling.timestamps import timestamp_count, timestamps
from byola_hear.models.pooling.window import WindowPool

#: Distance between recordings on a common time line, ms: no onset of one is close to another's.
APART_MS = 1e7


@dataclass(frozen=True)
class Recording:
    """A file of an event task.

    Attributes:
        samples: ``(n_samples,)`` float32 at 16 kHz.
        events: its events.
    """

    samples: np.ndarray
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Track:
    """Values along a recording: frame features, embeddings or scores.

    Attributes:
        values: ``(n_times, size)``.
        times_ms: ``(n_times,)`` milliseconds, evenly spaced.
        pooling: how the network of frame features makes an embedding of them.
    """

    values: np.ndarray
    times_ms: np.ndarray
    pooling: str = MAX_MEAN


@dataclass(frozen=True)
class EventSet:
    """The recordings of a task, by split.

    Attributes:
        labels: labels of the events, sorted.
        splits: recordings of ``train``, ``valid`` and ``test``.
    """

    labels: tuple[str, ...]
    splits: dict[str, list[Recording]]

    @cached_property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(len(each.samples) for part in self.splits.values() for each in part) / 16000


def event_set(items: Sequence[Item], max_files: int | None = None) -> EventSet:
    """Read an event task's recordings.

    Args:
        items: items of the task.
        max_files: largest number of files of each split, evenly chosen.

    Raises:
        ValueError: if a split is empty, or there is no event.
    """
    splits: dict[str, list[Recording]] = {}
    labels: set[str] = set()
    for split in ("train", "valid", "test"):
        part = [item for item in items if item.split == split]
        if not part:
            raise ValueError(f"expected recordings in train, valid and test, found none in {split}")
        count = len(part) if max_files is None else min(max_files, len(part))
        chosen = [part[int(index)] for index in np.linspace(0, len(part) - 1, count).round()]
        recordings = []
        for item in chosen:
            events = tuple(event for event in item.labels if isinstance(event, Event))
            labels |= {event.label for event in events}
            samples = item.samples() if callable(item.samples) else item.samples
            recordings.append(Recording(samples, events))
        splits[split] = recordings
    if not labels:
        raise ValueError("expected events in the recordings, found none")
    return EventSet(tuple(sorted(labels)), splits)


def frame_track(model: ByolaModel, samples: np.ndarray) -> Track:
    """The frame features that are centred within a recording, float16; timestamp embeddings pool these."""
    config = model.config
    grid = (config.encoder.stride, config.frontend.hop_length)
    with torch.no_grad():
        pieces = [features for _, features in model.frame_features().of_clips([torch.from_numpy(samples)])]
    count = timestamp_count(len(samples), *grid)
    times = timestamps(0, count, len(samples), *grid, model.sample_rate)
    return Track(torch.cat(pieces)[:count].half().numpy(), times.double().numpy(), config.pooling)


def tracks_of(model: ByolaModel, recordings: EventSet) -> dict[str, list[Track]]:
    """Frame features of all recordings, by split."""
    return {
        split: [frame_track(model, recording.samples) for recording in part]
        for split, part in recordings.splits.items()
    }


def windowed(track: Track, width: int) -> np.ndarray:
    """Pool frame features over a window of ``width`` frames around each time, as the network does.

    The result, ``(n_times, size)`` float32, is that of
    :meth:`byola_hear.models.model.ByolaModel.timestamp_embeddings` with that window.
    """
    pool = WindowPool(width, track.pooling)
    return torch.cat(list(pool.windows([torch.from_numpy(track.values).float()]))).numpy()


def activity(recording: Recording, labels: Sequence[str], times_ms: np.ndarray) -> np.ndarray:
    """``(n_times, n_labels)`` float32: 1 during an event of the label, else 0."""
    active = np.zeros((len(times_ms), len(labels)), np.float32)
    for event in recording.events:
        inside = (times_ms >= event.start_ms) & (times_ms < event.end_ms)
        active[inside, labels.index(event.label)] = 1
    return active


def onsets(recordings: Sequence[Recording], label: str) -> np.ndarray:
    """Onsets of a label in all recordings on the common time line, ms, ascending."""
    return np.sort(
        [
            place * APART_MS + event.start_ms
            for place, recording in enumerate(recordings)
            for event in recording.events
            if event.label == label
        ]
    )
