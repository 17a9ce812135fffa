"""Work in several processes, which end when the process that started them ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from byola_hear.utils.parent import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    items: Sequence[Item], work: Callable[[Item], Result], jobs: int, on_done: Callable[[Result], None]
) -> list[Result]:
    """Apply a function to each item, in this process or in several.

    Args:
        items: items to work on. With several jobs they and ``work`` must be picklable.
        work: function to apply.
        jobs: number of processes.
        on_done: called in this process with each result when it is ready.

    Returns:
        The results, in the order of the items.

    Raises:
        OSError: if a process was ended from outside, as by a system that ran out of memory.
    """
    results: dict[int, Result] = {}
    if jobs == 1 or len(items) < 2:
        for index, item in enumerate(items):
            results[index] = work(item)
            on_done(results[index])
        return list(results.values())
    # A forked process would inherit the locks of torch's threads in an unknown state.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        places = {pool.submit(work, item): index for index, item in enumerate(items)}
        try:
            for future in as_completed(places):
                results[places[future]] = future.result()
                on_done(future.result())
        except BrokenProcessPool:
            raise OSError("a process was killed, perhaps because memory ran out; fewer --jobs need less") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[index] for index in range(len(items))]
