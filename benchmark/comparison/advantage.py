"""Does it help to have been trained on the domain: differences of networks by task, and in-domain minus out-of-domain.

On each task the network's advantage over a reference is the difference of their scores. Its domain advantage is the
mean of that over the tasks of the domain it was trained on, minus the mean over those of the other domain: what
training on a domain gains there beyond what it gains elsewhere. Tasks of both domains do not count. With the other
network as the reference, both networks have the same domain advantage, which is therefore told once.

Source:
    Ogg, arXiv 2502.02366, compares networks trained on speech and on non-speech on tasks of both domains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmark.comparison.comparison import Comparison, counted
from benchmark.comparison.intervals import percentiles, task_seed
from benchmark.comparison.paired import exchange_test, group_exchange, holm, least_p, mcnemar

#: Network, reference, and the network's domain.
CONTRASTS = (
    ("speech", "nonspeech", "speech"),
    ("speech", "untrained", "speech"),
    ("nonspeech", "untrained", "nonspeech"),
    ("speech", "both", "speech"),
    ("nonspeech", "both", "nonspeech"),
)


@dataclass(frozen=True)
class Difference:
    """Network minus reference on a task, fractions of 1, higher being better for the network.

    Attributes:
        task: the task's name.
        value: the difference.
        low: of its 95 % interval, files drawn in pairs; None where there are no draws.
        high: the same.
        only_network: files that only the network has right; None where the score is no accuracy.
        only_reference: files that only the reference has right.
        test: ``McNemar`` (exact), ``exchange`` (of each file's results) or ``none``.
        p: two-sided; nan where there is no test.
        p_holm: the same corrected for the number of tasks.
    """

    task: str
    value: float
    low: float | None
    high: float | None
    only_network: int | None
    only_reference: int | None
    test: str
    p: float
    p_holm: float


@dataclass(frozen=True)
class Advantage:
    """A network against a reference.

    Attributes:
        network: the row.
        reference: the row that it is compared with.
        domain: the network's.
        differences: by task, in the table's order.
        inside: mean difference over the tasks of its domain that both rows have.
        outside: mean over those of the other domain.
        value: ``inside - outside``.
        low: of its 95 % interval over the tested files.
        high: the same.
        n_inside: number of tasks.
        n_outside: number of tasks.
        p: two-sided, of exchanging tasks between the domains; says whether there is an advantage beyond chance among
            tasks, which the interval, of these tasks alone, doesn't.
        least_p: the smallest that p can be with so few tasks.
    """

    network: str
    reference: str
    domain: str
    differences: list[Difference]
    inside: float
    outside: float
    value: float
    low: float | None
    high: float | None
    n_inside: int
    n_outside: int
    p: float
    least_p: float


def advantages(comparison: Comparison) -> list[Advantage]:
    """All that can be told of :data:`CONTRASTS`: those whose two rows share tasks of both domains."""
    found = (advantage(comparison, *contrast) for contrast in CONTRASTS)
    return [each for each in found if each is not None]


def advantage(comparison: Comparison, network: str, reference: str, domain: str) -> Advantage | None:
    """A network's domain advantage over a reference.

    Args:
        comparison: the table.
        network: a row's name.
        reference: another row's name.
        domain: the network's, ``speech`` or ``nonspeech``.

    Returns:
        The advantage; None if a row is not there or they share no tasks of one of the domains.
    """
    one, other = comparison.row(network), comparison.row(reference)
    if one is None or other is None:
        return None
    outside = "nonspeech" if domain == "speech" else "speech"
    differences = _differences(comparison, network, reference)
    by_task = {each.task: each for each in differences}
    tasks = {
        side: [column.name for column in counted(comparison.columns, side) if column.name in by_task]
        for side in (domain, outside)
    }
    if not all(tasks.values()):
        return None
    names = [*tasks[domain], *tasks[outside]]
    half = len(tasks[domain])
    weights = np.array([1 / half] * half + [-1 / (len(names) - half)] * (len(names) - half))
    values = np.array([by_task[name].value for name in names])
    low = high = None
    draws = [(one.cells[name].draws, other.cells[name].draws) for name in names]
    drawn = [a - b for a, b in draws if a is not None and b is not None]
    if len(drawn) == len(names):
        low, high = percentiles(weights @ np.array(drawn))
    return Advantage(
        network=network,
        reference=reference,
        domain=domain,
        differences=differences,
        inside=float(values[:half].mean()),
        outside=float(values[half:].mean()),
        value=float(weights @ values),
        low=low,
        high=high,
        n_inside=half,
        n_outside=len(names) - half,
        p=group_exchange(values, half, comparison.seed),
        least_p=least_p(half, len(names) - half),
    )


def _differences(comparison: Comparison, network: str, reference: str) -> list[Difference]:
    one, other = comparison.row(network), comparison.row(reference)
    found: list[Difference] = []
    for column in comparison.columns:
        if one is None or other is None or column.name not in one.cells or column.name not in other.cells:
            continue
        first, second, metric = one.cells[column.name], other.cells[column.name], column.metric
        low = high = only_network = only_reference = None
        test, p = "none", math.nan
        if metric is not None and first.draws is not None and second.draws is not None:
            low, high = percentiles(first.draws - second.draws)
            mine, others = (np.asarray(comparison.outcomes[name, column.name].counts) for name in (network, reference))
            if metric.kind == "accuracy":
                test = "McNemar"
                only_network, only_reference, p = mcnemar(mine[:, 0], others[:, 0])
            else:
                test = "exchange"
                p = exchange_test(metric, mine, others, column.fold_of, task_seed(column.name, comparison.seed))
        found.append(
            Difference(
                column.name,
                first.gain - second.gain,
                low,
                high,
                only_network,
                only_reference,
                test,
                p,
                math.nan,
            )
        )
    corrected = holm([each.p for each in found])
    return [Difference(**{**vars(each), "p_holm": p}) for each, p in zip(found, corrected)]
