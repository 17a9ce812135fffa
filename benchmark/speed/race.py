"""A race: methods run in turns, so that a machine that is busy with other things slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tqdm import tqdm


class NotAvailable(Exception):
    """A method cannot run here. The message says what is missing."""


@dataclass
class Method:
    """Something to time.

    Attributes:
        title: what it is.
        seconds: seconds of audio that one run processes.
        run: runs it once and returns seconds by kind, such as ``cpu`` and ``wall``; may raise :class:`NotAvailable`.
        times: what ``run`` returned, one value a turn, by kind.
        missing: why it cannot run; empty if it can.
    """

    title: str
    seconds: float
    run: Callable[[], Mapping[str, float]]
    times: dict[str, list[float]] = field(default_factory=dict)
    missing: str = ""

    def turn(self) -> None:
        """Run once and keep the times. A method that is not available runs no more."""
        if self.missing:
            return
        try:
            times = self.run()
        except NotAvailable as error:
            self.missing = str(error)
            return
        for kind, seconds in times.items():
            self.times.setdefault(kind, []).append(seconds)

    def speeds(self, kind: str) -> list[float]:
        """Seconds of audio per second of ``kind``, one value a turn."""
        return [self.seconds / max(each, 1e-9) for each in self.times[kind]]


def timed(work: Callable[[], object]) -> Callable[[], dict[str, float]]:
    """Turn work in this process into a method's ``run``: seconds of ``cpu`` and ``wall`` time."""

    def run() -> dict[str, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}

    return run


def race(
    methods: Mapping[str, Method], turns: int, *, warm_up: bool = False, name: str = "race", progress: bool = True
) -> None:
    """Run every method in each turn.

    Args:
        methods: the methods by name; their times are kept in them.
        turns: number of turns.
        warm_up: whether a turn that does not count comes first.
        name: name of the progress bar.
        progress: whether to show a progress bar on stderr.
    """
    with tqdm(total=len(methods) * (turns + warm_up), desc=name, unit="run", disable=not progress, leave=False) as bar:
        for number in range(turns + warm_up):
            for method_name, method in methods.items():
                bar.set_postfix_str(method_name)
                method.turn()
                if warm_up and number == 0:
                    method.times.clear()
                bar.update()


def times_as_fast(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times as fast one method is as another: the median over turns.

    Args:
        ours: seconds for the same work, one value a turn.
        theirs: the same for the other method.

    Example:
        >>> times_as_fast([1.0, 2.0, 9.0], [2.0, 4.0, 9.0])
        2.0
    """
    return median(their / max(our, 1e-9) for our, their in zip(ours, theirs, strict=True))
