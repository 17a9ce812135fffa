"""The same extraction on a cluster: Ray Data hands clips to workers, their rows come back in the clips' order.

Needs ``pip install 'byola-hear[ray]'`` here and on every node, and files that every node sees under the same path: a
shared file system. Nothing else is shared: the network travels to the workers from here, and the table is written here.

A worker that dies is replaced and its clips are done again; rows that had arrived are not given twice. What can't be
mended (a clip that kills every worker that touches it) ends the extraction with an error; what was written before then
stays, and the next run goes on from there.

Where a batch system hands out machines, no cluster is needed: ``--shard I/N`` gives each task of an array its own
share of the clips, the same on every machine, and its own table::

    #SBATCH --array=0-15
    byola-hear embed /data/sounds --shard $SLURM_ARRAY_TASK_ID/16 -o table-$SLURM_ARRAY_TASK_ID.parquet

A task that was stopped is sent again as it was and goes on; the tables side by side are one data set to whatever reads
folders of Parquet files.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
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

#: Most clips that a worker is given at a time; what is lost, and done again, when it dies.
MOST_CLIPS = 32
#: Batches of clips to each worker, if there are enough clips, so that none waits long for the last.
LEAST_BATCHES = 8
#: How often clips are given to another worker when theirs died.
RETRIES = 3
#: Seconds to wait for an answer from a cluster's address.
CONNECT_SECONDS = 10.0
#: Bytes of rows that travel together.
BLOCK_BYTES = 32 << 20


class ClusterError(RuntimeError):
    """An extraction that a cluster could not complete; the message says why."""


def extract_on_ray(
    clips: Iterable[Clip],
    model: ByolaModel,
    request: Request,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> Iterator[Event]:
    """Embed stretches of files on a Ray cluster.

    Each worker holds the network and computes on one GPU where the cluster has any, else on one CPU.

    Args:
        clips: what to embed; relative paths are relative to the working directory here.
        model: the network.
        request: what is asked of each clip, from :func:`byola_hear.extraction.request.request_for` this model.
        address: of the cluster, ``"host:port"``; ``"auto"`` for the one that this machine is part of; None or
            ``"local"`` for one of this machine's own that lasts as long as the extraction. A cluster that this
            process is connected to already is used whatever the address.
        workers: how many; None for as many as the cluster has GPUs or else CPUs.

    Yields:
        In the clips' order, the events that :func:`byola_hear.extraction.extract.extract` yields.

    Raises:
        ModuleNotFoundError: if Ray Data is not installed.
        ValueError: if there is no cluster at the address, or ``workers`` is not positive.
        ClusterError: if a worker fails for another reason than what is in a file, or dies too often.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
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
    """Events from the cluster that is connected."""
    room = _room(ray.nodes())
    workers = room.workers if workers is None else workers
    size = max(1, min(MOST_CLIPS, len(clips) // (LEAST_BATCHES * workers)))
    n_batches = -(-len(clips) // size)
    items = [
        {
            "index": index,
            # Bytes, as names need not be text; NaN for None, so that each batch has the same types.
            "file": os.fsencode(os.path.abspath(clip.file)),
            "start": float(clip.start),
            "end": float("nan") if clip.end is None else float(clip.end),
        }
        for index, clip in enumerate(clips)
    ]
    data = ray.data.from_items(items, override_num_blocks=n_batches)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`ray_remote_args", category=DeprecationWarning)
        rows = data.map_batches(
            _Worker,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_kwargs={"model": _on_cpu(model), "request": request, "threads": room.cpus},
            compute=ray.data.ActorPoolStrategy(size=min(workers, n_batches)),
            num_cpus=room.cpus,
            num_gpus=room.gpus,
            **_bounded_retries(data),
        )
    rows.context.execution_options.preserve_order = True
    rows.context.target_max_block_size = BLOCK_BYTES
    rows.context.enable_progress_bars = False
    rows.context.print_on_execution_start = False
    try:
        batches = rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)
        yield from _in_order(clips, batches, request.size)
    except (ray.exceptions.RayError, ray.data.exceptions.RayDataUserCodeException) as error:
        raise ClusterError(f"the extraction failed on the cluster: {_told(error)}") from error


class _Worker:
    """Lives in a process of the cluster with its own network; takes clips, gives their events as tables."""

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
        index: of its clip.
        position: of the event among the clip's.
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
    """The event that :func:`_packed` made a row of; ``size`` numbers to an embedding."""
    if row["reason"] is not None:
        return Failed(clip, row["reason"].decode("utf-8", "surrogateescape"))
    if row["seconds"] is not None:
        stamp = row["stamp"]
        return Done(clip, row["seconds"], None if stamp is None else (stamp[0], stamp[1]))
    embeddings = np.frombuffer(row["embeddings"], "<f4").reshape(-1, size)
    start, end, *time = np.frombuffer(row["numbers"], "<f8").reshape(-1, len(embeddings))
    return Rows(clip, start, end, time[0] if time else None, embeddings)


def _in_order(clips: list[Clip], batches: Iterable[pyarrow.Table], size: int) -> Iterator[Event]:
    """Each event once, in the clips' order, however often a batch of them was computed.

    Raises:
        ClusterError: if one is missing.
    """
    index = position = 0
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
    """What a cluster has room for.

    Attributes:
        workers: how many fit.
        cpus: for each.
        gpus: for each, 0 or 1.
    """

    workers: int
    cpus: int
    gpus: int


def _room(nodes: list[dict[str, Any]]) -> _Room:
    """How many workers a cluster's nodes have room for, and what each gets: a GPU, or else a CPU.

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
    """Join a cluster, or start one that is this process's own."""
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is raised as well
    try:
        if address in (None, "local"):
            # One's own cluster tells nobody about itself.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            _check_reachable(str(address))
            ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {_told(error)}") from error


def _check_reachable(address: str) -> None:
    """Knock at a cluster's port; Ray itself would try for minutes.

    Raises:
        OSError: if nobody answers.
        ValueError: if it is no address.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("expected host:port, 'auto' or 'local'")
    socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


def _bounded_retries(data: Any) -> dict[str, Any]:
    """Arguments of ``map_batches`` that bound how often clips are tried again: by themselves they are for ever.

    Left out where Ray takes them no longer.
    """
    if "ray_remote_args_fn" not in inspect.signature(data.map_batches).parameters:
        return {}
    return {"ray_remote_args_fn": lambda: {"max_restarts": -1, "max_task_retries": RETRIES}}


def _on_cpu(model: ByolaModel) -> ByolaModel:
    """The model itself if it is there, else a copy."""
    return model if next(model.parameters()).device.type == "cpu" else deepcopy(model).cpu()


def _told(error: BaseException) -> str:
    """What is at the bottom of an error of Ray's, in a line."""
    first = ""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in ("ActorDiedError", "ActorUnavailableError", "RayActorError"):
            return f"a worker died {RETRIES + 1} times over the same clips"
        # A task's error has a traceback for its text, and what was raised, to which Ray adds lines, as its cause.
        raised = getattr(seen, "cause", None) or seen
        lines = [line.strip() for line in str(raised).splitlines() if line.strip()]
        first = first or (lines[0] if lines else "")
        seen = seen.__cause__ or seen.__context__
    return first or type(error).__name__
