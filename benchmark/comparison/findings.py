"""What a comparison's summary shows, in sentences."""

from __future__ import annotations

from benchmark.comparison.advantage import sides
from benchmark.comparison.document import Document
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.rows import OVERALL
from benchmark.comparison.text import escaped, number, p_value, signed


def sentences(document: Document) -> list[str]:
    """The first domain advantage, the best means, and the networks against their untrained one.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        None of those that the table's rows don't allow.
    """
    return [text for text in (_advantage(document), _best(document), _untrained(document)) if text]


def _advantage(document: Document) -> str:
    if not document.advantages:
        return ""
    each = document.advantages[0]

    def stands(value: float) -> str:
        return f"{100 * abs(value):.1f} points {'better' if value >= 0 else 'worse'}"

    own, other = (DOMAINS[side] for side in sides(each.domain))
    includes_zero = each.low is not None and each.high is not None and each.low <= 0 <= each.high
    chance = ", and may be chance" if includes_zero or each.p > 0.05 else ""
    return (
        f"`{each.network}` is {stands(each.inside)} than `{each.reference}` on {own} tasks, and {stands(each.outside)} "
        f"on {other} tasks. The first minus the second, its advantage in its own domain, is "
        f"{signed(each.value, each.low, each.high)} points{chance} "
        f"(p = {p_value(each.p)}, of exchanging tasks between the domains)."
    )


def _best(document: Document) -> str:
    """The rows with the highest means, where means have intervals."""
    rows = {row.name: row for row in document.rows}
    if sum(bool(row.means) for row in document.rows) < 2:
        return ""
    groups = [group for group in document.groups if len(document.in_means[group]) > 1]
    parts = []
    for group in (*groups, OVERALL):
        best = document.best.get(group, [])
        if best and rows[best[0]].means[group].low is not None:
            mean = rows[best[0]].means[group]
            value = number(mean.value, mean.low, mean.high, 1)
            where = "all tasks" if group == OVERALL else f"{DOMAINS[group]} tasks"
            parts.append(f"{', '.join(f'`{name}`' for name in best)} on {where} ({value} %)")
    return f"Highest means: {', '.join(parts)}." if parts else ""


def _untrained(document: Document) -> str:
    """On how many tasks the networks are ahead of the untrained one, and where they are behind it."""
    titles = {column.name: column.title for column in document.columns}
    parts = []
    for each in document.advantages:
        tested = [task for task in each.differences if task.low is not None and task.high is not None]
        if each.reference != "untrained" or not tested:
            continue
        ahead = sum(task.low > 0 for task in tested if task.low is not None)
        behind = [escaped(titles[task.task]) for task in tested if task.high is not None and task.high < 0]
        worse = f"behind it on {', '.join(behind)}" if behind else "behind it on none"
        parts.append(
            f"`{each.network}` is ahead of the untrained network on {ahead} of {len(tested)} tasks and {worse}"
        )
    if not parts:
        return ""
    return f"Where the interval of the difference excludes 0, {'; '.join(parts)}."
