"""Extraction on a cluster that survives the death of workers and nodes."""

from __future__ import annotations

import inspect
import os
import time
import warnings
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Event, Rows
from byola_hear.models.model import ByolaModel
from byola_hear.ray.cluster import Room, cause_of, connect, is_death, ray_modules, room_on
from byola_hear.ray.events import ClusterError, in_order
from byola_hear.ray.worker import Worker

if TYPE_CHECKING:
    import pyarrow

#: Clips that a worker gets at a time, at most. They are embedded again if the worker dies.
MOST_CLIPS = 32
#: Batches of clips for each worker if there are enough clips, so that no worker waits long for the last one.
LEAST_BATCHES = 8
#: How often clips are sent to other workers after theirs died.
RETRIES = 3
#: Time before new workers are started when those before them died over their first clips, s. The cluster needs some
#: seconds to notice that a node is gone.
PAUSE = 5.0
#: Bytes of rows that travel together.
BLOCK_BYTES = 32 << 20


def extract_on_ray(
    clips: Iterable[Clip],
    model: ByolaModel,
    request: Request,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> Iterator[Event]:
    """Embed files and segments of files on a Ray cluster.

    Each worker has a copy of the network and computes on one GPU, or on one CPU if the cluster has no GPU.

    Args:
        clips: what to embed. Relative paths are relative to the working directory of this process.
        model: the network.
        request: what is asked of each clip, from :func:`byola_hear.extraction.request.request_for` for this model.
        address: the cluster's address, ``"host:port"``; ``"auto"`` for the cluster of this machine; None or
            ``"local"`` for a cluster on this machine alone that ends with the extraction. Ignored if this process is
            already connected to a cluster.
        workers: number of workers; None for one per GPU, or one per CPU if the cluster has no GPU.

    Yields:
        The events that :func:`byola_hear.extraction.extract.extract` yields, in the clips' order.

    Raises:
        ModuleNotFoundError: if Ray Data is not installed.
        ValueError: if there is no cluster at the address, or ``workers`` is not a positive integer.
        ClusterError: if a worker fails for a reason other than a bad file, or dies too often; see
            :class:`byola_hear.ClusterError`.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1):
        raise ValueError(f"workers must be a positive integer, got {workers!r}")
    listed = list(clips)
    if not listed:
        return
    ray = ray_modules()
    ours = not ray.is_initialized()
    if ours:
        connect(ray, address)
    try:
        yield from _events(ray, listed, model, request, workers)
    finally:
        if ours:
            ray.shutdown()


def _events(ray: Any, clips: list[Clip], model: ByolaModel, request: Request, workers: int | None) -> Iterator[Event]:
    """Events from the cluster that this process is connected to.

    Ray would send the clips of a worker that died to its replacement. That does not help if a node is lost: there may
    be no room for a replacement, and until the loss is noticed, all retries are used up. So nothing is retried there,
    and the clips that are missing are given to new workers here.
    """
    room = room_on(ray.nodes())
    n_workers = room.workers if workers is None else int(workers)
    size = max(1, min(MOST_CLIPS, len(clips) // (LEAST_BATCHES * n_workers)))
    index = position = deaths = 0
    while index < len(clips):
        before = (index, position)
        # Whole batches, because a clip's rows come in other pieces if its neighbours are others.
        results = _results(ray, _batches(clips, size, index // size), model, request, room, n_workers)
        try:
            for event in in_order(clips, results, request.size, index, position):
                yield event
                index, position = (index, position + 1) if isinstance(event, Rows) else (index + 1, 0)
        except (ray.exceptions.RayError, ray.data.exceptions.RayDataUserCodeException) as error:
            if not is_death(ray, error):
                raise ClusterError(f"the extraction failed on the cluster: {cause_of(error)}") from error
            deaths = deaths + 1 if before == (index, position) else 1
            if deaths > RETRIES:
                raise ClusterError(
                    f"the extraction failed on the cluster: a worker died {deaths} times over the same clips"
                ) from error
            if before == (index, position):
                time.sleep(PAUSE)
            room = room_on(ray.nodes())
            n_workers = room.workers if workers is None else int(workers)


def _batches(clips: list[Clip], size: int, first: int) -> list[pyarrow.Table]:
    """Clips as tables of ``size`` clips each, from batch ``first`` on."""
    import pyarrow

    return [
        pyarrow.table(
            {
                "index": pyarrow.array(range(start, start + len(batch)), pyarrow.int64()),
                # Bytes, because names need not be text; NaN for None.
                "file": pyarrow.array([os.fsencode(os.path.abspath(clip.file)) for clip in batch], pyarrow.binary()),
                "start": pyarrow.array([clip.start for clip in batch], pyarrow.float64()),
                "end": pyarrow.array([np.nan if clip.end is None else clip.end for clip in batch], pyarrow.float64()),
            }
        )
        for start in range(first * size, len(clips), size)
        for batch in [clips[start : start + size]]
    ]


def _results(
    ray: Any, batches: list[pyarrow.Table], model: ByolaModel, request: Request, room: Room, workers: int
) -> Iterator[pyarrow.Table]:
    """Embed batches of clips by new workers; tables of events in the batches' order."""
    data = ray.data.from_arrow(batches)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`ray_remote_args", category=DeprecationWarning)
        rows = data.map_batches(
            Worker,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_kwargs={"model": _on_cpu(model), "request": request, "threads": room.cpus},
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(batches))),
            num_cpus=room.cpus,
            num_gpus=room.gpus,
            **_no_retries(data),
        )
    rows.context.execution_options.preserve_order = True
    rows.context.target_max_block_size = BLOCK_BYTES
    rows.context.enable_progress_bars = False
    rows.context.print_on_execution_start = False
    yield from rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)


def _no_retries(data: Any) -> dict[str, Any]:
    """Arguments of ``map_batches`` by which a death ends the work at once; by default clips are tried without limit.

    None of them for versions of Ray that do not accept them.
    """
    if "ray_remote_args_fn" not in inspect.signature(data.map_batches).parameters:
        return {}
    return {"ray_remote_args_fn": lambda: {"max_restarts": 0, "max_task_retries": 0}}


def _on_cpu(model: ByolaModel) -> ByolaModel:
    """The model itself if it is on the CPU, else a copy."""
    return model if next(model.parameters()).device.type == "cpu" else deepcopy(model).cpu()
