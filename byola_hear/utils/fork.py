"""Forked processes: the threads of torch's OpenMP stay behind, and waiting for them never ends."""

from __future__ import annotations

import os
from functools import cache

import torch


@cache
def survive_fork() -> None:
    """Let every process that is forked from now on compute with one thread instead of waiting for ever.

    ``multiprocessing`` forks by default on Linux before Python 3.14. In the child, torch would wait for threads that
    exist only in the parent. Processes that are started in another way keep their threads.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_one_thread)


def _one_thread() -> None:
    torch.set_num_threads(1)
