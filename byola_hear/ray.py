"""Extraction on a cluster: Ray Data passes clips to workers, and their rows come back in the clips' order.

Install ``byola-hear[ray]`` here and on every node. Every node must see the files under the same paths, as on a shared
file system. Nothing else is shared: the network is sent to the workers, and the table is written here.

If a worker or a node dies, the clips whose rows had not arrived are embedded again by new workers, on the nodes that
are left; rows that had arrived are not repeated. If a clip kills every worker that reads it, the extraction ends with
an error. What was written before stays, and the next run continues from there.

A batch system such as Slurm needs no cluster. ``--shard I/N`` gives each task of an array its own share of the clips,
which is the same on every machine, and its own table::

    #SBATCH --array=0-15
    byola-hear embed /data/sounds --shard $SLURM_ARRAY_TASK_ID/16 -o table-$SLURM_ARRAY_TASK_ID.parquet

Submit a task that was stopped again, and it continues. Programs that read folders of Parquet files take the tables in a
folder for one data set.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import time
import warnings
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.models.model import ByolaModel

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
#: How long to wait for an answer from a cluster's address, s.
CONNECT_SECONDS = 10.0
#: Bytes of rows that travel together.
BLOCK_BYTES = 32 << 20


class ClusterError(RuntimeError):
    """A cluster could not complete an extraction; the message says why."""


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
    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address)
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
    room = _room(ray.nodes())
    n_workers = room.workers if workers is None else int(workers)
    size = max(1, min(MOST_CLIPS, len(clips) // (LEAST_BATCHES * n_workers)))
    index = position = deaths = 0
    while index < len(clips):
        before = (index, position)
        # Whole batches, because a clip's rows come in other pieces if its neighbours are others.
        results = _results(ray, _batches(clips, size, index // size), model, request, room, n_workers)
        try:
            for event in _in_order(clips, results, request.size, index, position):
                yield event
                index, position = (index, position + 1) if isinstance(event, Rows) else (index + 1, 0)
        except (ray.exceptions.RayError, ray.data.exceptions.RayDataUserCodeException) as error:
            if not _is_death(ray, error):
                raise ClusterError(f"the extraction failed on the cluster: {_cause(error)}") from error
            deaths = deaths + 1 if before == (index, position) else 1
            if deaths > RETRIES:
                raise ClusterError(
                    f"the extraction failed on the cluster: a worker died {deaths} times over the same clips"
                ) from error
            if before == (index, position):
                time.sleep(PAUSE)
            room = _room(ray.nodes())
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
    ray: Any, batches: list[pyarrow.Table], model: ByolaModel, request: Request, room: _Room, workers: int
) -> Iterator[pyarrow.Table]:
    """Embed batches of clips by new workers; tables of events in the batches' order."""
    data = ray.data.from_arrow(batches)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`ray_remote_args", category=DeprecationWarning)
        rows = data.map_batches(
            _Worker,
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


class _Worker:
    """Embeds clips in a process of the cluster, and returns their events as tables."""

    def __init__(self, model: ByolaModel, request: Request, threads: int) -> None:
        import ray

        torch.set_num_threads(threads)
        self.threads = threads
        device = "cuda" if ray.get_gpu_ids() and torch.cuda.is_available() else "cpu"
        self.model = model.to(device)
        self.request = request

    def __call__(self, batch: pyarrow.Table) -> Iterator[pyarrow.Table]:
        columns = batch.to_pydict()
        clips = [
            Clip(os.fsdecode(file), start, None if np.isnan(end) else end)
            for file, start, end in zip(columns["file"], columns["start"], columns["end"], strict=True)
        ]
        numbered = iter(columns["index"])
        index, position = next(numbered), 0
        for event in extract(clips, self.model, self.request, self.threads):
            yield _packed(event, index, position)
            position += 1
            if not isinstance(event, Rows):
                index, position = next(numbered, -1), 0


def _packed(event: Event, index: int, position: int) -> pyarrow.Table:
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
    """The event that :func:`_packed` made this row of. ``size``: dimensions of an embedding."""
    if row["reason"] is not None:
        return Failed(clip, row["reason"].decode("utf-8", "surrogateescape"))
    if row["seconds"] is not None:
        stamp = row["stamp"]
        return Done(clip, row["seconds"], None if stamp is None else (stamp[0], stamp[1]))
    embeddings = np.frombuffer(row["embeddings"], "<f4").reshape(-1, size)
    start, end, *time = np.frombuffer(row["numbers"], "<f8").reshape(-1, len(embeddings))
    return Rows(clip, start, end, time[0] if time else None, embeddings)


def _in_order(
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


@dataclass(frozen=True)
class _Room:
    """How many workers a cluster has room for.

    Attributes:
        workers: number of workers.
        cpus: CPUs of each worker.
        gpus: GPUs of each worker, 0 or 1.
    """

    workers: int
    cpus: int
    gpus: int


def _room(nodes: list[dict[str, Any]]) -> _Room:
    """How many workers fit on a cluster's nodes, each with a GPU, or with a CPU if there is no GPU.

    Example:
        >>> _room([{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 2.0}}])
        _Room(workers=2, cpus=8, gpus=1)
        >>> _room([{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": False, "Resources": {"CPU": 9.0}}])
        _Room(workers=4, cpus=1, gpus=0)
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    with_gpu = [each for each in resources if each.get("GPU", 0) >= 1]
    if with_gpu:
        cpus = min(int(each.get("CPU", 1) // each["GPU"]) for each in with_gpu)
        return _Room(sum(int(each["GPU"]) for each in with_gpu), max(cpus, 1), 1)
    return _Room(max(sum(int(each.get("CPU", 0)) for each in resources), 1), 1, 0)


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ModuleNotFoundError("a Ray cluster needs Ray Data: pip install 'byola-hear[ray]'") from error
    return ray


def _connect(ray: Any, address: str | None) -> None:
    """Connect to a cluster, or start one for this process."""
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors are raised as well
    try:
        if address in (None, "local"):
            # A local cluster sends no statistics.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            _check_reachable(str(address))
            ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {_cause(error)}") from error


def _check_reachable(address: str) -> None:
    """Connect to a cluster's port; Ray itself would try for minutes.

    Raises:
        OSError: if there is no answer.
        ValueError: if it is not an address.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("expected host:port, 'auto' or 'local'")
    socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


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


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _is_death(ray: Any, error: BaseException) -> bool:
    """Whether an error says that a worker, a node or its results are gone."""
    names = ("RayActorError", "NodeDiedError", "WorkerCrashedError", "ObjectLostError", "OutOfMemoryError")
    deaths = tuple(getattr(ray.exceptions, name) for name in names if hasattr(ray.exceptions, name))
    return any(isinstance(each, deaths) for each in _chain(error))


def _cause(error: BaseException) -> str:
    """The first cause of an error of Ray's, in one line."""
    for each in _chain(error):
        # The text of a task's error is a traceback. Its cause is the original error, to which Ray adds lines.
        raised = getattr(each, "cause", None) or each
        lines = [line.strip() for line in str(raised).splitlines() if line.strip()]
        if lines:
            return lines[0]
    return type(error).__name__
