"""The domain advantage over matched pairs of tasks: as many of one domain as of the other, and about as difficult.

Tasks of the two domains differ in number and difficulty, so a mean over one domain is not comparable with a mean over
the other. Here each task of the smaller domain is paired with one of the larger such that the sum of the pairs'
distances is smallest. The distance of two tasks is the difference of the untrained network's scores, plus a twentieth
of the number of times that the number of classes doubles from one to the other, plus 1 if their scores are of different
kinds. No result of a trained network has a say in the pairing.

Everything is computed from a comparison's summary. The files of different tasks are different, so the variances of
their differences add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmark.comparison.advantage import Advantage, Difference
from benchmark.comparison.document import Document, DocumentCell, DocumentColumn
from benchmark.tasks.limits import LIMITS

#: The row whose scores say how difficult a task is.
MEASURE = "untrained"
#: Fewest pairs that say anything.
LEAST_PAIRS = 3
#: Distance of tasks whose numbers of classes differ by a factor of two, and of tasks with other kinds of scores.
DOUBLING, OTHER_KIND = 0.05, 1.0


@dataclass(frozen=True)
class Matched:
    """An advantage over matched pairs, in fractions of 1.

    Attributes:
        network: name of the network's row.
        reference: name of the row that it is compared with.
        pairs: the task of the network's domain and that of the other domain.
        value: mean over the pairs of the difference on the first task minus that on the second.
        low: lower end of its 95 % interval over the tested files; None if a task's difference has no draws of files.
        high: upper end.
        p: two-sided, of exchanging the tasks within pairs (all ways); at least ``2 / 2**len(pairs)``.
    """

    network: str
    reference: str
    pairs: tuple[tuple[str, str], ...]
    value: float
    low: float | None
    high: float | None
    p: float


def matched_advantages(document: Document) -> list[Matched]:
    """The advantages of a summary over matched pairs of tasks.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        One for each advantage of the summary, in order; none if there is no untrained row, or fewer than three pairs.
    """
    untrained: dict[str, DocumentCell] = next((row.cells for row in document.rows if row.name == MEASURE), {})
    found = []
    for each in document.advantages:
        other = "nonspeech" if each.domain == "speech" else "speech"
        by_task = {difference.task: difference for difference in each.differences}
        inside, outside = (
            [name for name in document.in_means.get(domain, []) if name in by_task and name in untrained]
            for domain in (each.domain, other)
        )
        if min(len(inside), len(outside)) >= LEAST_PAIRS:
            pairs = pairs_of(inside, outside, untrained, {column.name: column for column in document.columns})
            found.append(_matched(each, pairs, by_task))
    return found


def pairs_of(
    inside: list[str], outside: list[str], untrained: Mapping[str, DocumentCell], columns: Mapping[str, DocumentColumn]
) -> tuple[tuple[str, str], ...]:
    """Pair tasks of two domains, as many as the smaller domain has.

    Args:
        inside: tasks of one domain.
        outside: tasks of the other.
        untrained: the untrained network's cells of a summary.
        columns: columns of a summary, by task.
    """

    def distance(first: str, second: str) -> float:
        apart = abs(untrained[first].gain - untrained[second].gain)
        if first in LIMITS and second in LIMITS:
            apart += DOUBLING * abs(math.log2(LIMITS[first].classes / LIMITS[second].classes))
        kinds = {"onset" in columns[name].metric_title for name in (first, second)}
        return float(apart + OTHER_KIND * (len(kinds) - 1))

    table = np.array([[distance(first, second) for second in outside] for first in inside])
    rows, others = linear_sum_assignment(table)
    return tuple((inside[row], outside[column]) for row, column in zip(rows, others))


def _matched(each: Advantage, pairs: tuple[tuple[str, str], ...], by_task: Mapping[str, Difference]) -> Matched:
    apart = np.array([by_task[first].value - by_task[second].value for first, second in pairs])
    value = float(apart.mean())
    limits: tuple[float | None, float | None] = (None, None)
    halves = [half for pair in pairs for name in pair if (half := by_task[name].half) is not None]
    if len(halves) == 2 * len(pairs):
        half = math.sqrt(sum(size**2 for size in halves)) / len(pairs)
        limits = (value - half, value + half)
    signs = np.array(list(product((1, -1), repeat=len(pairs))))
    p = float(np.mean(np.abs(signs @ apart) >= abs(apart.sum()) - 1e-12))
    return Matched(each.network, each.reference, pairs, value, *limits, p)
