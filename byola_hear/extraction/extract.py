"""From clips to rows of embeddings: short clips in batches, long clips in constant memory.

Threads decode ahead of the network, because libsndfile, soxr and torch all release Python's lock while they work. A
clip up to :data:`WHOLE_SECONDS` is decoded as a whole and goes through the network together with its neighbours. A
longer clip goes through the network block by block. A clip's rows depend only on the clip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from threading import Thread

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.reading import read_blocks
from byola_hear.audio.waveforms import check_waveform
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.row_builder import Pooled
from byola_hear.extraction.rows import Done, Event, Failed
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import Stamp, stamp_of
from byola_hear.utils.text import one_line

#: Length of the blocks that are decoded at a time, s.
BLOCK_SECONDS = 30.0
#: Length up to which a clip is decoded as a whole, s: two blocks.
WHOLE_SECONDS = 60.0
#: Length of a batch of short clips if the network is on a CPU, and on another device, s.
CPU_BATCH_SECONDS, DEVICE_BATCH_SECONDS = 60.0, 600.0
#: The first batch has this share of that length, and each is twice as long as the one before, so that the first results
#: come soon.
FIRST_SHARE = 1 / 16
#: Clips in a batch at most, counting those that can't be read.
MOST_CLIPS = 1000
#: Errors that a file may cause. Any other error ends the extraction.
FILE_ERRORS = (ValueError, OSError, RuntimeError)


def extract(
    clips: Iterable[Clip],
    model: ByolaModel,
    request: Request,
    workers: int | None = None,
    batch_seconds: float | None = None,
) -> Iterator[Event]:
    """Embed files and segments of files.

    Args:
        clips: what to embed.
        model: the network, on the device that is to compute.
        request: what is asked of each clip, from :func:`byola_hear.extraction.request.request_for` for this model.
        workers: number of threads that decode; None for half of the network's threads, but at least two.
        batch_seconds: length of the short clips that go through the network together, s; None for 60 on a CPU and 600
            on other devices. It does not change the results.

    Yields:
        For each clip, in order: any number of :class:`~byola_hear.extraction.rows.Rows`, then
        :class:`~byola_hear.extraction.rows.Done` or, possibly after some rows,
        :class:`~byola_hear.extraction.rows.Failed`.

    Raises:
        ValueError: if ``workers`` is not a positive integer, or ``batch_seconds`` not positive.
    """
    n_threads = torch.get_num_threads()
    workers = max(2, n_threads // 2) if workers is None else workers
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1:
        raise ValueError(f"workers must be a positive integer, got {workers!r}")
    features = model.frame_features()
    if batch_seconds is None:
        batch_seconds = CPU_BATCH_SECONDS if features.network.device.type == "cpu" else DEVICE_BATCH_SECONDS
    if not batch_seconds > 0:
        raise ValueError(f"batch_seconds must be positive, got {batch_seconds}")
    most = max(int(batch_seconds * model.sample_rate), 1)
    on_cpu = features.network.device.type == "cpu"
    n_networks = n_threads if on_cpu else 1
    computing: deque[Future[list[Event]]] = deque()
    with (
        ThreadPoolExecutor(workers, thread_name_prefix="decode") as decoders,
        ThreadPoolExecutor(n_networks, "network", _compute_on_one_core if on_cpu else None) as networks,
    ):
        try:
            sounds = _decoded_ahead(clips, model.sample_rate, decoders, 2 * workers)
            for batch in _batches(sounds, most):
                if batch[0].whole:
                    if len(computing) > n_networks:
                        yield from computing.popleft().result()
                    computing.append(networks.submit(_embedded, batch, features, model, request))
                    continue
                while computing:
                    yield from computing.popleft().result()
                # No batch is being computed, so all threads can work on this clip.
                yield from _streamed(batch[0], features, model, request, decoders)
            while computing:
                yield from computing.popleft().result()
        finally:
            decoders.shutdown(wait=True, cancel_futures=True)
            networks.shutdown(wait=True, cancel_futures=True)


def _compute_on_one_core() -> None:
    """Let torch use one core in the calling thread, which is new, and leave all others as they are.

    One core for each batch: threads that share a batch wait for the slowest of them at every layer, which costs a third
    of the speed on cores that are also busy with other work.
    """
    usual = torch.get_num_threads()
    if usual > 1:
        torch.set_num_threads(1)
        # This is now also the number of every thread that is to come, such as those of a server. Only another thread
        # can set it back: it would be the number of this one again.
        setter = Thread(target=torch.set_num_threads, args=(usual,))
        setter.start()
        setter.join()


@dataclass
class _Sound:
    """A clip's first blocks, decoded, and the rest of it.

    Attributes:
        clip: the clip.
        stamp: its file's stamp from before it was opened.
        blocks: ``(n_samples_i,)`` float32 each.
        rest: decodes the following blocks; None if there are none.
        error: why the clip can't be decoded; None if it can.
    """

    clip: Clip
    stamp: Stamp
    blocks: list[Tensor]
    rest: Iterator[NDArray[np.float32]] | None = None
    error: Exception | None = None

    @property
    def size(self) -> int:
        return sum(map(len, self.blocks))

    @property
    def whole(self) -> bool:
        return self.rest is None


class _Undecodable(Exception):
    """An error of a file, as distinct from an error of the network."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _decoded(clip: Clip, sample_rate: int) -> _Sound:
    """Decode a clip's first blocks; an error becomes part of the result."""
    stamp = stamp_of(clip.file)
    try:
        rest = read_blocks(clip.file, sample_rate, BLOCK_SECONDS, clip.start, clip.end)
        n_blocks = int(WHOLE_SECONDS / BLOCK_SECONDS)
        blocks = [check_waveform(torch.from_numpy(block)) for block in islice(rest, n_blocks)]
        complete = len(blocks) < n_blocks or len(blocks[-1]) < len(blocks[0])
        if complete:
            for _ in rest:  # no block is left, but the reader's checks at the end of the file are
                pass
        return _Sound(clip, stamp, blocks, None if complete else rest)
    except FILE_ERRORS as error:
        return _Sound(clip, stamp, [], error=error)


def _decoded_ahead(clips: Iterable[Clip], sample_rate: int, pool: ThreadPoolExecutor, ahead: int) -> Iterator[_Sound]:
    """Decode clips in order, the next ``ahead`` of them in the background."""
    waiting: deque[Future[_Sound]] = deque()
    remaining = iter(clips)
    for clip in islice(remaining, ahead):
        waiting.append(pool.submit(_decoded, clip, sample_rate))
    while waiting:
        sound = waiting.popleft().result()
        for clip in islice(remaining, 1):
            waiting.append(pool.submit(_decoded, clip, sample_rate))
        yield sound


def _batches(sounds: Iterable[_Sound], most: int) -> Iterator[list[_Sound]]:
    """Group whole clips into batches of up to ``most`` samples, at least one clip; a long clip is a batch by itself.

    The first batches are shorter.
    """
    batch: list[_Sound] = []
    size, room = 0, int(FIRST_SHARE * most)
    for sound in sounds:
        if batch and (not sound.whole or size + sound.size > room or len(batch) == MOST_CLIPS):
            yield batch
            batch, size, room = [], 0, min(2 * room + 1, most)
        if not sound.whole:
            yield [sound]
            continue
        batch.append(sound)
        size += sound.size
    if batch:
        yield batch


def _embedded(batch: list[_Sound], features: FrameFeatures, model: ByolaModel, request: Request) -> list[Event]:
    """Embed whole clips, which go through the network together."""
    events: list[Event] = []
    good = [sound for sound in batch if sound.error is None]
    waveforms = [torch.cat(sound.blocks) if len(sound.blocks) > 1 else sound.blocks[0] for sound in good]
    pieces = groupby(features.of_clips(waveforms), itemgetter(0)) if waveforms else iter(())
    for sound in batch:
        if sound.error is not None:
            events.append(failed(sound.clip, sound.error))
            continue
        pooled = Pooled(sound.clip, model, request)
        for _, frames in next(pieces)[1]:
            events += pooled.add(frames, sound.size)
        events += [*pooled.finish(sound.size), Done(sound.clip, sound.size / model.sample_rate, sound.stamp)]
    return events


def _streamed(
    sound: _Sound, features: FrameFeatures, model: ByolaModel, request: Request, pool: ThreadPoolExecutor
) -> Iterator[Event]:
    """Embed a long clip in constant memory; the next block is decoded while the network computes."""
    n_samples = 0

    def blocks() -> Iterator[Tensor]:
        nonlocal n_samples
        rest = sound.rest or iter(())
        waiting = pool.submit(next, rest, None)
        for block in sound.blocks:
            n_samples += len(block)
            yield block
        sound.blocks.clear()
        while True:
            try:
                decoded = waiting.result()
                if decoded is None:
                    return
                checked = check_waveform(torch.from_numpy(decoded))
            except FILE_ERRORS as error:
                raise _Undecodable(error) from error
            waiting = pool.submit(next, rest, None)
            n_samples += len(checked)
            yield checked

    pooled = Pooled(sound.clip, model, request)
    try:
        for frames, seen in features.of_blocks(blocks()):
            yield from pooled.add(frames, seen)
    except _Undecodable as error:
        yield failed(sound.clip, error.reason)
        return
    yield from pooled.finish(n_samples)
    yield Done(sound.clip, n_samples / model.sample_rate, sound.stamp)


def extract_waveforms(waveforms: Iterable[tuple[Clip, Tensor]], model: ByolaModel, request: Request) -> Iterator[Event]:
    """Embed waveforms.

    Args:
        waveforms: a name for each, and ``(n_samples,)`` float32 in [-1, 1] at the model's rate.
        model: the network.
        request: what is asked of each waveform.

    Yields:
        As :func:`extract`.

    Raises:
        ValueError: if a waveform has the wrong dtype, shape or values.
    """
    features = model.frame_features()
    for clip, waveform in waveforms:
        pooled = Pooled(clip, model, request)
        for _, frames in features.of_clips([check_waveform(waveform, f"waveform {clip.file}")]):
            yield from pooled.add(frames, len(waveform))
        yield from pooled.finish(len(waveform))
        yield Done(clip, len(waveform) / model.sample_rate, None)


def failed(clip: Clip, error: Exception) -> Failed:
    """The failure of a clip that raised an error. The reason is one line without the file's name."""
    # First the name goes, then the line breaks, because the name may contain some.
    return Failed(clip, one_line(str(error).removeprefix(f"{clip.file}: ")) or type(error).__name__)
