"""Clips to rows of embeddings: decoding beside the network, short clips together, long ones in constant memory.

Threads decode ahead of the network: libsndfile, soxr and torch all let go of Python's lock while they work. A clip
up to :data:`WHOLE_SECONDS` is decoded as a whole and goes through the network with its neighbours; what is longer
flows through it block by block. A clip's rows depend on nothing but the clip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter

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

#: Seconds of audio decoded at a time.
BLOCK_SECONDS = 30.0
#: Seconds of a clip up to which it waits for the network as a whole: two blocks.
WHOLE_SECONDS = 60.0
#: Seconds of audio that go to the network together, where the weights are on a CPU or on another device.
CPU_BATCH_SECONDS, DEVICE_BATCH_SECONDS = 60.0, 600.0
#: Clips to a batch, however short, and even if none of them can be read.
MOST_CLIPS = 1000
#: What may be wrong with a file. Anything else is not the file's fault and ends the extraction.
FILE_ERRORS = (ValueError, OSError, RuntimeError)


def extract(
    clips: Iterable[Clip],
    model: ByolaModel,
    request: Request,
    workers: int | None = None,
    batch_seconds: float | None = None,
) -> Iterator[Event]:
    """Embed stretches of files.

    Args:
        clips: what to embed.
        model: the network, where it is to run.
        request: what is asked of each clip, from :func:`byola_hear.extraction.request.request_for` this model.
        workers: threads that decode; None for half as many as the network has, at least two.
        batch_seconds: seconds of audio in short clips that go to the network together; None for what suits the
            device. It changes no result.

    Yields:
        In the clips' order, for each clip: :class:`~byola_hear.extraction.rows.Rows`, none or several, then
        :class:`~byola_hear.extraction.rows.Done`; or :class:`~byola_hear.extraction.rows.Failed`, even after some rows.

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
    n_networks = n_threads if features.network.device.type == "cpu" else 1
    computing: deque[Future[list[Event]]] = deque()
    with (
        ThreadPoolExecutor(workers, thread_name_prefix="decode") as decoders,
        ThreadPoolExecutor(n_networks, thread_name_prefix="network") as networks,
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
                # The other threads have nothing to do, so this one may have them all.
                torch.set_num_threads(n_threads)
                yield from _streamed(batch[0], features, model, request, decoders)
            while computing:
                yield from computing.popleft().result()
        finally:
            decoders.shutdown(wait=True, cancel_futures=True)
            networks.shutdown(wait=True, cancel_futures=True)
            torch.set_num_threads(n_threads)


@dataclass
class _Sound:
    """A clip's first blocks, decoded, and the rest of it.

    Attributes:
        clip: which.
        stamp: of its file before it was opened.
        blocks: ``(n_samples_i,)`` float32 each.
        rest: decodes what follows; None if that is all.
        error: why it can't be decoded; None if it can.
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
    """What is wrong with a file, told apart from what may go wrong in the network."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _decoded(clip: Clip, sample_rate: int) -> _Sound:
    """A clip's first blocks; what is wrong with it becomes part of the result."""
    stamp = stamp_of(clip.file)
    try:
        rest = read_blocks(clip.file, sample_rate, BLOCK_SECONDS, clip.start, clip.end)
        n_blocks = int(WHOLE_SECONDS / BLOCK_SECONDS)
        blocks = [check_waveform(torch.from_numpy(block)) for block in islice(rest, n_blocks)]
        complete = len(blocks) < n_blocks or len(blocks[-1]) < len(blocks[0])
        if complete:
            for _ in rest:  # none is left; the reader's checks at the end of the file still are
                pass
        return _Sound(clip, stamp, blocks, None if complete else rest)
    except FILE_ERRORS as error:
        return _Sound(clip, stamp, [], error=error)


def _decoded_ahead(clips: Iterable[Clip], sample_rate: int, pool: ThreadPoolExecutor, ahead: int) -> Iterator[_Sound]:
    """Clips in order, the next ones being decoded meanwhile."""
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
    """Whole clips together, up to ``most`` samples or one clip; a clip that is streamed by itself."""
    batch: list[_Sound] = []
    size = 0
    for sound in sounds:
        if batch and (not sound.whole or size + sound.size > most or len(batch) == MOST_CLIPS):
            yield batch
            batch, size = [], 0
        if not sound.whole:
            yield [sound]
            continue
        batch.append(sound)
        size += sound.size
    if batch:
        yield batch


def _embedded(batch: list[_Sound], features: FrameFeatures, model: ByolaModel, request: Request) -> list[Event]:
    """Events of whole clips, which go through the network together."""
    if features.network.device.type == "cpu":
        # A core for each batch: threads that share one batch wait for the slowest of them at every layer, which costs a
        # third of the speed where the cores have other things to do, too.
        torch.set_num_threads(1)
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
    """Events of a long clip, in constant memory; the next block is decoded while the network is busy."""
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
    """Embed waveforms that are in memory already.

    Args:
        waveforms: what to call each, and ``(n_samples,)`` float32 in [-1, 1] at the model's rate.
        model: the network.
        request: what is asked of each.

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
    """What became of a clip that raised an error, in one line that doesn't repeat the file's name."""
    # The name as it is in the message, before the line breaks that it may hold go.
    return Failed(clip, " ".join(str(error).removeprefix(f"{clip.file}: ").split()) or type(error).__name__)
