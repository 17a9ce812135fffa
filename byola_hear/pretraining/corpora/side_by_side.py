"""Work in several processes that end with the one that started them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    items: Sequence[Item], work: Callable[[Item], Result], jobs: int, on_done: Callable[[Result], None]
) -> list[Result]:
    """Do the work on each item, in this process or in several.

    Args:
        items: to work on; they and ``work`` must be picklable where there is more than one job.
        work: what to do.
        jobs: processes.
        on_done: told of each result as it comes, in this process.

    Returns:
        The results, in the order of the items.
    """
    results: dict[int, Result] = {}
    if jobs == 1 or len(items) < 2:
        for index, item in enumerate(items):
            results[index] = work(item)
            on_done(results[index])
        return list(results.values())
    # Forked processes would inherit torch's threads in whatever state they are in.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        places = {pool.submit(work, item): index for index, item in enumerate(items)}
        try:
            for future in as_completed(places):
                results[places[future]] = future.result()
                on_done(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[index] for index in range(len(items))]


def _end_with_parent() -> None:
    """A process whose parent was killed would go on writing where the next build is at work already."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
