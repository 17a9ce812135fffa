"""The rows of the table, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.intervals import Interval

#: The rows of a short table, which the best others follow.
SHORT_ROWS = ("both", "speech", "nonspeech", "untrained")
#: Rows that come first, in this order; the others are sorted by their mean.
FIRST_ROWS = (
    *SHORT_ROWS,
    *("transformer-both", "transformer-speech", "transformer-nonspeech", "untrained_transformer"),
)
#: Name of the mean over all tasks.
OVERALL = "overall"


@dataclass(frozen=True)
class TaskScore:
    """A model's score on a task.

    Attributes:
        score: heareval's score, mean over the folds.
        gain: the same so that higher is better.
        interval: its interval; None if there is none.
        spread: standard deviation over the folds; None with one fold.
        folds: score by fold.
        others: heareval's other scores, mean over the folds.
        draws: ``(resamples,)`` bootstrap draws of ``gain``; None if the score is not a ratio of sums over files.
    """

    score: float
    gain: float
    interval: Interval | None
    spread: float | None
    folds: dict[str, float]
    others: dict[str, float]
    draws: NDArray[np.floating] | None


@dataclass(frozen=True)
class Mean:
    """A mean over tasks, in fractions of 1 (higher is better), with its interval over the tested files."""

    value: float
    low: float | None
    high: float | None


@dataclass
class Row:
    """A model.

    Attributes:
        name: its name.
        note: what a reader must know about it.
        status: ``ok``, ``unavailable``, ``failed`` or ``not measured``.
        reason: why it is not ok.
        identity: identity of the model that was measured.
        cells: scores by task.
        missing: reasons for missing scores, by task.
        means: by domain and :data:`OVERALL`, if it has every task of the mean.
        hear: HEAR's average; None if the row is not part of it.
    """

    name: str
    note: str
    status: str
    reason: str
    identity: str = ""
    cells: dict[str, TaskScore] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    means: dict[str, Mean] = field(default_factory=dict)
    hear: Mean | None = None


class Placed(Protocol):
    """What decides the place of a row."""

    @property
    def name(self) -> str: ...
    @property
    def cells(self) -> Mapping[str, Any]: ...
    @property
    def means(self) -> Mapping[str, Mean]: ...


PlacedRow = TypeVar("PlacedRow", bound=Placed)


def ordered(rows: list[PlacedRow]) -> list[PlacedRow]:
    """Sort rows: the networks, then by mean, then rows without a mean, then rows without scores."""

    def place(row: PlacedRow) -> tuple[Any, ...]:
        first = FIRST_ROWS.index(row.name) if row.name in FIRST_ROWS else len(FIRST_ROWS)
        mean = row.means.get(OVERALL)
        return (not row.cells, first, mean is None, -(mean.value if mean else 0.0), row.name)

    return sorted(rows, key=place)
