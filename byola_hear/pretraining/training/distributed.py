"""Training in one process, or in the several that ``torchrun`` starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

#: How long the others wait for the first process, which may have thousands of hours to decode.
LONGEST_WAIT = timedelta(days=2)


@dataclass(frozen=True)
class Place:
    """The place of a process among those that train together.

    Attributes:
        rank: its number, from 0. The first process writes the files.
        world_size: number of processes.
        device: device that it computes on.
        local_rank: its number among the processes of its machine, from 0.
    """

    rank: int
    world_size: int
    device: torch.device
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop. All get the same answer, so that none waits for one that stopped."""
        if self.world_size == 1:
            return stop
        flag = torch.tensor(float(stop), device=self.device)
        distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
        return bool(flag)

    def wait(self) -> None:
        """Wait until every process has called this."""
        if self.world_size > 1:
            distributed.barrier()


def device_of(device: str) -> torch.device:
    """Choose the device of this process.

    Args:
        device: name of a torch device, or ``"auto"`` for a GPU if there is one. Of several processes that compute on
            GPUs, each takes the GPU of its local rank.

    Raises:
        ValueError: if the device is unknown or not available.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        known = chosen.type in ("cpu", "cuda")
    except RuntimeError:
        known = False
    if not known:
        raise ValueError(f"expected a device such as 'cpu', 'cuda' or 'cuda:1', got {device!r}")
    world_size, local_rank = _numbers()
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(f"expected an available device, got {device!r}: PyTorch finds no GPU")
        if world_size > 1:
            chosen = torch.device("cuda", local_rank)
        if (chosen.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"expected one of the {torch.cuda.device_count()} available GPUs, got {str(chosen)!r}")
    return chosen


def is_one_of_several() -> bool:
    """Whether ``torchrun`` started this process and others."""
    return _numbers()[0] > 1


def _numbers() -> tuple[int, int]:
    """The number of processes, and the local rank of this one."""
    return int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def launched(device: str) -> Iterator[Place]:
    """Give this process its place. If ``torchrun`` started several, the process group is open meanwhile.

    Args:
        device: see :func:`device_of`.

    Raises:
        ValueError: if the device is unknown or not available.
    """
    chosen = device_of(device)
    world_size, local_rank = _numbers()
    if world_size == 1:
        yield Place(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=LONGEST_WAIT)
    try:
        yield Place(distributed.get_rank(), world_size, chosen, local_rank)
    finally:
        distributed.destroy_process_group()
