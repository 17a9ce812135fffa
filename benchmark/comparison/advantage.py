"""Does training on a domain help on its tasks? Differences between networks by task, and their domain advantage.

On a task, the difference of a network and a reference is the difference of their scores. The network's domain advantage
is the mean difference over the tasks of the domain that it was trained on, minus the mean over those of the other
domain: the gain there beyond the gain elsewhere. Tasks of both domains do not count. If two networks are each other's
reference, both have the same domain advantage, and it is reported once.

Source:
    Ogg, arXiv 2502.02366, compares networks trained on speech and on non-speech on tasks of both domains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.comparison import Comparison, counted
from benchmark.comparison.intervals import percentiles, task_seed
from benchmark.comparison.paired import exchange_test, group_exchange, holm, least_p, mcnemar

#: How the networks of an architecture are called: what stands before the domain, and the untrained one.
ARCHITECTURES = (("", "untrained"), ("transformer-", "untrained_transformer"))
#: Network, reference, and the network's domain.
CONTRASTS = tuple(
    (f"{prefix}{network}", untrained if reference == "untrained" else f"{prefix}{reference}", network)
    for prefix, untrained in ARCHITECTURES
    for network, reference in (
        ("speech", "nonspeech"),
        ("speech", "untrained"),
        ("nonspeech", "untrained"),
        ("speech", "both"),
        ("nonspeech", "both"),
    )
)


@dataclass(frozen=True)
class Difference:
    """Network minus reference on a task, in fractions of 1; positive if the network is better.

    Attributes:
        task: the task's name.
        value: the difference.
        low: lower end of its 95 % interval, with files drawn in pairs; None without draws.
        high: upper end.
        only_network: number of files that only the network classifies correctly; None if the score is not an accuracy.
        only_reference: number of files that only the reference classifies correctly.
        test: ``McNemar`` (exact), ``exchange`` (of each file's results) or ``none``.
        p: two-sided; None without a test.
        p_holm: the same corrected for the number of tasks.
    """

    task: str
    value: float
    low: float | None
    high: float | None
    only_network: int | None
    only_reference: int | None
    test: str
    p: float | None
    p_holm: float | None

    @property
    def half(self) -> float | None:
        """Half the interval; 0 for a difference that is the same in every draw of files, None without draws."""
        if self.low is not None and self.high is not None and not math.isnan(self.high - self.low):
            return (self.high - self.low) / 2
        return None if self.test == "none" else 0.0


@dataclass(frozen=True)
class Advantage:
    """A network against a reference.

    Attributes:
        network: name of the network's row.
        reference: name of the row that it is compared with.
        domain: the network's domain.
        differences: by task, in the table's order.
        inside: mean difference over the tasks of its domain that both rows have.
        outside: mean difference over the tasks of the other domain.
        value: ``inside - outside``.
        low: lower end of its 95 % interval over the tested files.
        high: upper end.
        n_inside: number of tasks of its domain.
        n_outside: number of tasks of the other domain.
        p: two-sided, of exchanging tasks between the domains. It takes the choice of tasks into account; the interval
            is for these tasks only.
        least_p: the smallest p that is possible with this number of tasks.
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
    """The advantages of all :data:`CONTRASTS` whose two rows share tasks of both domains."""
    found = (advantage(comparison, *contrast) for contrast in CONTRASTS)
    return [each for each in found if each is not None]


def advantage(comparison: Comparison, network: str, reference: str, domain: str) -> Advantage | None:
    """Compute a network's domain advantage over a reference.

    Args:
        comparison: the table.
        network: name of a row.
        reference: name of another row.
        domain: the network's domain, ``speech`` or ``nonspeech``.

    Returns:
        The advantage; None if a row is missing or they share no tasks of one of the domains.
    """
    one, other = comparison.row(network), comparison.row(reference)
    if one is None or other is None:
        return None
    found = differences(comparison, network, reference)
    inside, outside = (
        [column.name for column in counted(comparison.columns, side) if column.name in one.cells.keys() & other.cells]
        for side in sides(domain)
    )
    if not inside or not outside:
        return None
    limits: tuple[float | None, float | None] = (None, None)
    draws = [(one.cells[name].draws, other.cells[name].draws) for name in (*inside, *outside)]
    drawn = [a - b for a, b in draws if a is not None and b is not None]
    if len(drawn) == len(draws):
        limits = percentiles(weights(len(inside), len(outside)) @ np.array(drawn))
    return assembled((network, reference, domain), found, inside, outside, limits, comparison.seed)


def sides(domain: str) -> tuple[str, str]:
    """A network's domain and the other one."""
    return domain, "nonspeech" if domain == "speech" else "speech"


def weights(n_inside: int, n_outside: int) -> NDArray[np.float64]:
    """Weights of the differences in an advantage, ``(n_inside + n_outside,)``.

    Example:
        >>> weights(2, 1).tolist()
        [0.5, 0.5, -1.0]
    """
    return np.array([1 / n_inside] * n_inside + [-1 / n_outside] * n_outside)


def assembled(
    contrast: tuple[str, str, str],
    found: list[Difference],
    inside: Sequence[str],
    outside: Sequence[str],
    limits: tuple[float | None, float | None],
    seed: int,
) -> Advantage:
    """An advantage from differences by task.

    Args:
        contrast: network, reference, and the network's domain.
        found: the differences, in the table's order.
        inside: names of the tasks of its domain, at least one.
        outside: names of the tasks of the other domain, at least one.
        limits: ends of the advantage's interval.
        seed: seed of the exchanges.
    """
    by_task = {each.task: each.value for each in found}
    values = np.array([by_task[name] for name in (*inside, *outside)])
    half, rest = len(inside), len(outside)
    network, reference, domain = contrast
    return Advantage(
        network=network,
        reference=reference,
        domain=domain,
        differences=found,
        inside=float(values[:half].mean()),
        outside=float(values[half:].mean()),
        value=float(weights(half, rest) @ values),
        low=limits[0],
        high=limits[1],
        n_inside=half,
        n_outside=rest,
        p=group_exchange(values, half, seed),
        least_p=least_p(half, rest),
    )


def differences(comparison: Comparison, network: str, reference: str) -> list[Difference]:
    """The differences of two rows on the tasks that both have, in the table's order."""
    one, other = comparison.row(network), comparison.row(reference)
    found: list[Difference] = []
    for column in comparison.columns:
        if one is None or other is None or column.name not in one.cells or column.name not in other.cells:
            continue
        first, second, metric = one.cells[column.name], other.cells[column.name], column.metric
        low = high = only_network = only_reference = None
        test: str = "none"
        p: float | None = None
        if metric is not None and first.draws is not None and second.draws is not None:
            low, high = percentiles(first.draws - second.draws)
            mine, others = (np.asarray(comparison.outcomes[name, column.name].counts) for name in (network, reference))
            if metric.kind == "accuracy":
                test = "McNemar"
                only_network, only_reference, p = mcnemar(mine[:, 0], others[:, 0])
            else:
                test = "exchange"
                p = exchange_test(metric, mine, others, column.fold_of, task_seed(column.name, comparison.seed))
        value = first.gain - second.gain
        found.append(Difference(column.name, value, low, high, only_network, only_reference, test, p, None))
    return corrected(found)


def corrected(found: Sequence[Difference]) -> list[Difference]:
    """Differences with p corrected for the number of those that are tested."""
    by_holm = holm([math.nan if each.p is None else each.p for each in found])
    return [replace(each, p_holm=None if each.p is None else p) for each, p in zip(found, by_holm)]
