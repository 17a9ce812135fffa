"""Clusters: connecting to one, the room on its nodes, and what its errors mean."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from byola_hear.utils.optional import advice

#: How long to wait for an answer from a cluster's address, s.
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Room:
    """How many workers a cluster has room for.

    Attributes:
        workers: number of workers.
        cpus: CPUs of each worker.
        gpus: GPUs of each worker, 0 or 1.
    """

    workers: int
    cpus: int
    gpus: int


def room_on(nodes: list[dict[str, Any]]) -> Room:
    """Count the workers that fit on a cluster's nodes, each with a GPU, or with a CPU if there is no GPU.

    Args:
        nodes: what ``ray.nodes()`` returned.

    Example:
        >>> large = {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 2.0}}
        >>> room_on([{"Alive": True, "Resources": {"CPU": 4.0}}, large])
        Room(workers=2, cpus=8, gpus=1)
        >>> room_on([{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": False, "Resources": {"CPU": 9.0}}])
        Room(workers=4, cpus=1, gpus=0)
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    with_gpu = [each for each in resources if each.get("GPU", 0) >= 1]
    if with_gpu:
        cpus = min(int(each.get("CPU", 1) // each["GPU"]) for each in with_gpu)
        return Room(sum(int(each["GPU"]) for each in with_gpu), max(cpus, 1), 1)
    return Room(max(sum(int(each.get("CPU", 0)) for each in resources), 1), 1, 0)


def ray_modules() -> Any:
    """Import Ray and Ray Data.

    Returns:
        The module ``ray``.

    Raises:
        ModuleNotFoundError: if one of them is not installed or can't be imported.
    """
    try:
        import ray
        import ray.data
    except Exception as error:
        raise ModuleNotFoundError(f"a Ray cluster needs {advice(error, 'ray', 'Ray Data', 'ray')}") from error
    return ray


def connect(ray: Any, address: str | None) -> None:
    """Connect to a cluster, or start one for this process.

    Args:
        ray: the module.
        address: as for :func:`byola_hear.ray.extract_on_ray`.

    Raises:
        ValueError: if there is no cluster at the address.
    """
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
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {cause_of(error)}") from error


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


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def is_death(ray: Any, error: BaseException) -> bool:
    """Whether an error says that a worker, a node or its results are gone."""
    names = ("RayActorError", "NodeDiedError", "WorkerCrashedError", "ObjectLostError", "OutOfMemoryError")
    deaths = tuple(getattr(ray.exceptions, name) for name in names if hasattr(ray.exceptions, name))
    return any(isinstance(each, deaths) for each in _chain(error))


def cause_of(error: BaseException) -> str:
    """The first cause of an error of Ray's, in one line."""
    for each in _chain(error):
        # The text of a task's error is a traceback. Its cause is the original error, to which Ray adds lines.
        raised = getattr(each, "cause", None) or each
        lines = [line.strip() for line in str(raised).splitlines() if line.strip()]
        if lines:
            return lines[0]
    return type(error).__name__
