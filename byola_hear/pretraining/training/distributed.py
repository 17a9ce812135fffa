"""One process or several: what ``torchrun`` sets up, and nothing when it is not used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

#: For the first process, which may have thousands of hours to decode while the others wait.
LONGEST_WAIT = timedelta(days=2)


@dataclass(frozen=True)
class Place:
    """Where a process stands.

    Attributes:
        rank: its number, from 0; the first writes the files.
        world_size: number of processes.
        device: what it computes on.
        local_rank: its number among those on its machine.
    """

    rank: int
    world_size: int
    device: torch.device
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop; all get the same answer, so that none is left waiting."""
        if self.world_size == 1:
            return stop
        flag = torch.tensor(float(stop), device=self.device)
        distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
        return bool(flag)

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world_size > 1:
            distributed.barrier()


def device_of(device: str) -> torch.device:
    """This process's device.

    Args:
        device: ``"auto"`` for a GPU where there is one, or a torch device's name; of several processes that compute on
            GPUs, each has the one of its own number.

    Raises:
        ValueError: if the device is not there.
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
            raise ValueError(f"device {device!r} was asked for, but torch finds no GPU here")
        if world_size > 1:
            chosen = torch.device("cuda", local_rank)
        if (chosen.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"expected one of the {torch.cuda.device_count()} GPUs here, got {str(chosen)!r}")
    return chosen


def _numbers() -> tuple[int, int]:
    """How many processes there are, and this one's number among those on its machine."""
    return int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def launched(device: str) -> Iterator[Place]:
    """This process's place, with the process group open while ``torchrun`` runs several.

    Args:
        device: see :func:`device_of`.

    Raises:
        ValueError: if the device is not there.
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
