"""Many cells, a few at a time, the cheap ones first; one that fails is told of and stops no other."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tqdm import tqdm

from benchmark.comparison.outcome import Outcome
from benchmark.evaluation.cell import Cache, Cell, measure
from benchmark.evaluation.processes import Failed, Processes, Stopped

#: Timestamps in a second of an event task's files, about, for an estimate of what a cell costs.
TIMESTAMPS = 25

#: What a cell costs beside its training, in the unit of :func:`cost`: two starts of Python with torch.
START = 2e6


@dataclass(frozen=True)
class Result:
    """What became of a cell.

    Attributes:
        model: the row's name.
        task: the column's name.
        status: ``done``, ``cached``, ``failed``, ``unavailable`` (the model or the task can't be had) or ``not run``.
        note: why, where there is no outcome.
        seconds: that it took, in all; of a cached one, now.
        log: what its commands said, where it failed.
    """

    model: str
    task: str
    status: str
    note: str = ""
    seconds: float = 0.0
    log: str = ""


def cost(cell: Cell) -> float:
    """About what a cell costs, in rows of embeddings times the numbers that a probe multiplies them with."""
    metadata = cell.task.metadata
    n_files = sum(len(json.loads((cell.task.folder / f"{split}.json").read_text())) for split in metadata["splits"])
    scene, timestamp = cell.model.sizes
    if metadata["embedding_type"] == "event":
        return START + n_files * (metadata["sample_duration"] or 1) * TIMESTAMPS * (timestamp + 1024)
    return START + n_files * (scene + 1024)


def run_cells(
    cells: Sequence[Cell],
    cache: Cache,
    jobs: int,
    keep_embeddings: bool,
    finished: Callable[[Cell, Result, Outcome | None], None],
    progress: bool,
) -> bool:
    """Measure cells.

    Args:
        cells: which.
        cache: where outcomes are kept.
        jobs: processes at a time, one thread each.
        keep_embeddings: leave embeddings in the cache.
        finished: called in this thread with every cell when it is done or has failed.
        progress: show a bar on stderr with the time left, by cost.

    Returns:
        False if Ctrl-C stopped it. No process is left behind, and what was finished is kept.
    """
    processes = Processes()
    costs = {id(cell): cost(cell) for cell in cells}
    ordered = sorted(cells, key=lambda cell: costs[id(cell)])

    # Rows of the same weights share embeddings: one after the other, and the second finds the first one's outcome.
    turns = {cell.embeddings_key: threading.Lock() for cell in cells}

    def one(cell: Cell) -> tuple[Result, Outcome | None]:
        name = (cell.model.name, cell.task.name)
        with turns[cell.embeddings_key]:
            there, start = cache.outcome(cell).is_file(), time.monotonic()
            try:
                outcome = measure(cell, cache, processes, keep_embeddings)
            except (Failed, OSError, ValueError) as error:
                text = " ".join(str(error).split())
                return Result(*name, "failed", text, time.monotonic() - start, str(cache.log(cell))), None
            return Result(*name, "cached" if there else "done", "", time.monotonic() - start), outcome

    with (
        ThreadPoolExecutor(jobs, thread_name_prefix="cell") as pool,
        tqdm(total=100.0, desc="cells", disable=not progress, bar_format=BAR) as bar,
    ):
        waiting: dict[Future[tuple[Result, Outcome | None]], Cell] = {pool.submit(one, cell): cell for cell in ordered}
        total, n_done = sum(costs.values()), 0
        bar.set_postfix_str(f"0/{len(cells)} cells")
        try:
            while waiting:
                for future in wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    cell = waiting.pop(future)
                    result, outcome = future.result()
                    finished(cell, result, outcome)
                    n_done += 1
                    bar.set_postfix_str(f"{n_done}/{len(cells)} cells, {cell.model.name} on {cell.task.name}", False)
                    # Rounded sums may exceed the whole, of which tqdm would warn.
                    bar.update(min(100.0 * costs[id(cell)] / total, 100.0 - bar.n))
                if sys.stderr.isatty():
                    bar.refresh()  # so that the time goes on
        except BaseException as error:
            # Whatever it is: no process may outlive this one, nor another be started.
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            for future in [each for each in waiting if each.done() and not each.cancelled()]:
                if not isinstance(future.exception(), Stopped):
                    finished(waiting[future], *future.result())
            if isinstance(error, KeyboardInterrupt):
                return False
            raise
    return True


#: Per cent of the cost, time left, and what was done last.
BAR = "{desc}: {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining} {postfix}"
