"""Run many cells, several at a time, in order of their cost. A failed cell is reported and does not stop the others."""

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
from benchmark.evaluation.cell import Cache, RunCell, measure
from benchmark.evaluation.processes import Failed, Processes, Stopped
from byola_hear.utils.text import one_line

#: Typical number of timestamps in a second of an event task's files, for estimating a cell's cost.
TIMESTAMPS = 25

#: Cost of starting Python with torch twice, in the unit of :func:`cost`.
START = 2e6


@dataclass(frozen=True)
class Result:
    """The result of a cell.

    Attributes:
        model: name of the model.
        task: name of the task.
        status: ``done``, ``cached``, ``kept`` (in the kept table that the run completes), ``failed``, ``unavailable``
            (the model or the task is missing) or ``not run``.
        note: the reason if there is no outcome.
        seconds: time that it took, s; of a cached outcome, the time to read it.
        log: path of the log if it failed.
    """

    model: str
    task: str
    status: str
    note: str = ""
    seconds: float = 0.0
    log: str = ""


def cost(cell: RunCell) -> float:
    """Estimate the cost of a cell: rows of embeddings times their dimensions, plus those of the probe's hidden
    layer.
    """
    metadata = cell.task.metadata
    n_files = sum(len(json.loads((cell.task.folder / f"{split}.json").read_text())) for split in metadata["splits"])
    scene, timestamp = cell.model.sizes
    if metadata["embedding_type"] == "event":
        return START + n_files * (metadata["sample_duration"] or 1) * TIMESTAMPS * (timestamp + 1024)
    return START + n_files * (scene + 1024)


def run_cells(
    cells: Sequence[RunCell],
    cache: Cache,
    jobs: int,
    keep_embeddings: bool,
    finished: Callable[[RunCell, Result, Outcome | None], None],
    progress: bool,
) -> bool:
    """Measure cells.

    Args:
        cells: the cells.
        cache: the cache of outcomes.
        jobs: number of parallel processes, one thread each.
        keep_embeddings: keep the embeddings in the cache.
        finished: called in this thread for every cell that is done or has failed.
        progress: show a bar on stderr with the remaining time, estimated from the costs.

    Returns:
        False if it was interrupted by Ctrl-C. All processes are stopped, and finished cells are kept.
    """
    processes = Processes()
    costs = {id(cell): cost(cell) for cell in cells}
    ordered = sorted(cells, key=lambda cell: costs[id(cell)])

    # Rows with the same weights share embeddings and run one after the other: the second one finds the first outcome.
    turns = {cell.embeddings_key: threading.Lock() for cell in cells}

    def one(cell: RunCell) -> tuple[Result, Outcome | None]:
        name = (cell.model.name, cell.task.name)
        with turns[cell.embeddings_key]:
            there, start = cache.outcome(cell).is_file(), time.monotonic()
            try:
                outcome = measure(cell, cache, processes, keep_embeddings)
            except (Failed, OSError, ValueError) as error:
                took = time.monotonic() - start
                return Result(*name, "failed", one_line(error), took, str(cache.log(cell))), None
            return Result(*name, "cached" if there else "done", "", time.monotonic() - start), outcome

    with (
        ThreadPoolExecutor(jobs, thread_name_prefix="cell") as pool,
        tqdm(total=100.0, desc="cells", disable=not progress, bar_format=BAR) as bar,
    ):
        waiting: dict[Future[tuple[Result, Outcome | None]], RunCell] = {
            pool.submit(one, cell): cell for cell in ordered
        }
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
                    # Because of rounding the sum may exceed 100, of which tqdm would warn.
                    bar.update(min(100.0 * costs[id(cell)] / total, 100.0 - bar.n))
                if sys.stderr.isatty():
                    bar.refresh()  # updates the time
        except BaseException as error:
            # After any error, no process may outlive this one, and no further one may start.
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            for future in [each for each in waiting if each.done() and not each.cancelled()]:
                if not isinstance(future.exception(), Stopped):
                    finished(waiting[future], *future.result())
            if isinstance(error, KeyboardInterrupt):
                return False
            raise
    return True


#: Percentage of the cost, remaining time, and the last cell.
BAR = "{desc}: {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining} {postfix}"
