"""What stands below the main table of a comparison, in Markdown: limits, spreads, tests, published scores, origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.comparison.cells import column_title
from benchmark.comparison.document import Document, DocumentColumn, DocumentRow
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.matched import matched_advantages
from benchmark.comparison.published import PublishedRow
from benchmark.comparison.text import escaped, number, p_value, signed
from benchmark.reporting.markdown import NOTHING, markdown
from benchmark.reporting.provenance import completed_with, measured_with
from benchmark.tasks.limits import LIMITS


def below_table(document: Document) -> list[str]:
    """Write all that stands below the main table.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        Paragraphs and tables; empty ones where there is nothing to say.
    """
    parts = (_limits, _spreads, _advantages, _matched, _tests_by_task, _published, _notes, _measured)
    return [part(document) for part in parts]


def _spreads(document: Document) -> str:
    folded = [column for column in document.columns if column.folds > 1]
    rows = [row for row in document.rows if row.cells]
    if not folded or not rows:
        return ""

    def text(row: DocumentRow, column: DocumentColumn) -> str:
        cell, of = row.cells.get(column.name), column.shown_as
        return number(cell.spread if cell else None, None, None, of.digits, of.shown(1.0))

    lines = [[escaped(row.name), *(text(row, column) for column in folded)] for row in rows]
    return "Standard deviation over the folds, points:\n\n" + markdown(
        ["model", *(column_title(column) for column in folded)], lines
    )


def _advantages(document: Document) -> str:
    if not document.advantages:
        return ""
    lines = [
        [
            f"{escaped(each.network)} − {escaped(each.reference)}",
            DOMAINS[each.domain],
            f"{signed(each.inside, None, None)} ({each.n_inside})",
            f"{signed(each.outside, None, None)} ({each.n_outside})",
            signed(each.value, each.low, each.high),
            p_value(each.p),
        ]
        for each in document.advantages
    ]
    head = ["network − reference", "its domain", "in-domain (tasks)", "out-of-domain (tasks)", "advantage", "p"]
    least = min(each.least_p for each in document.advantages)
    bound = "" if least < 0.001 else f" (at least {p_value(least)} with so few tasks)"
    return (
        "Domain advantage, points: the network's difference to the reference on the tasks of the domain that it was "
        "trained on, minus the difference on the tasks of the other domain; ± half the 95 % interval over the tested "
        f"files, drawn in pairs; p of exchanging tasks between the two domains{bound}.\n\n" + markdown(head, lines)
    )


def _matched(document: Document) -> str:
    found = matched_advantages(document)
    if not found:
        return ""
    titles = {column.name: escaped(column.title) for column in document.columns}
    lines = [
        [
            f"{escaped(each.network)} − {escaped(each.reference)}",
            signed(each.value, each.low, each.high),
            p_value(each.p),
            "; ".join(f"{titles[first]} – {titles[second]}" for first, second in each.pairs),
        ]
        for each in found
    ]
    least = p_value(2 / 2 ** len(found[0].pairs))
    return (
        "The same over matched pairs, as many tasks of one domain as of the other: each task of the smaller domain is "
        "paired with one of the larger so that the untrained network's scores and the numbers of classes differ least. "
        "Mean over the pairs of the difference in the network's domain minus that in the other, ± half the 95 % "
        f"interval over the tested files; p of exchanging the tasks of pairs (at least {least}):\n\n"
        + markdown(["network − reference", "advantage", "p", "pairs"], lines)
    )


def _limits(document: Document) -> str:
    known = [(column, LIMITS[column.name]) for column in document.columns if column.name in LIMITS]
    if not known:
        return ""
    lines = [
        [
            column_title(column),
            str(limits.classes),
            f"{100 * limits.chance:.1f}",
            NOTHING if limits.ceiling is None else f"{100 * limits.ceiling:.1f}",
            escaped(limits.source) or NOTHING,
        ]
        for column, limits in known
    ]
    return (
        "Chance is the score of the most frequent class among the tested files, the ceiling what listeners reach, "
        "where one is published, %:\n\n" + markdown(["task", "classes", "chance", "ceiling", "source"], lines)
    )


def _tests_by_task(document: Document) -> str:
    if not document.advantages:
        return ""
    titles = {column.name: column.title for column in document.columns}
    first = document.advantages[0]
    lines = [
        [
            escaped(titles[each.task]),
            signed(each.value, each.low, each.high),
            NOTHING if each.only_network is None else f"{each.only_network} : {each.only_reference}",
            p_value(each.p),
            p_value(each.p_holm),
        ]
        for each in first.differences
    ]
    head = ["task", "difference", "files that only one has right", "p", "p (Holm)"]
    return (
        f"The differences {escaped(first.network)} − {escaped(first.reference)} by task. p is that of the exact "
        "McNemar test of the pooled files, or, where the score is not an accuracy, of exchanging the two networks' "
        f"results of each file; it is corrected over the tasks by Holm's method:\n\n{markdown(head, lines)}"
    )


def _published(document: Document) -> str:
    rows = document.published.rows
    if not rows:
        return ""
    columns = [column for column in document.columns if any(column.name in row.scores for row in rows)]

    def text(row: PublishedRow, column: DocumentColumn) -> str:
        score = row.scores.get(column.name)
        return NOTHING if score is None else f"{column.shown_as.shown(score):.1f}" if column.metric else ""

    lines = [[escaped(row.name), *(text(row, column) for column in columns)] for row in rows]
    return (
        f"Published scores, not measured here, from the leaderboard of {document.published.source}, "
        "for those tasks above that are HEAR's:\n\n"
        + markdown(["published model", *(column_title(column) for column in columns)], lines)
    )


def _notes(document: Document) -> str:
    notes = []
    for row in document.rows:
        if row.cells:
            by_reason: dict[str, list[str]] = {}
            for task, why in row.missing.items():
                by_reason.setdefault(why, []).append(document.column(task).title)
            lacking = [f"without {', '.join(map(_quoted, titles))}: {why}" for why, titles in by_reason.items()]
            text = "; ".join(part for part in (row.note, *lacking) if part)
        else:
            word = "failed" if row.status == "failed" else "not measured"
            text = f"{word}: {row.reason or 'not run'}"
        if text:
            notes.append(f"- {escaped(row.name)}: {escaped(text)}\n")
    return "".join([*notes, *(f"- {escaped(note)}\n" for note in document.notes)])


def _quoted(title: str) -> str:
    """A task's title in a list, in quotation marks if it is a list itself."""
    return f'"{title}"' if "," in title else title


def _measured(document: Document) -> str:
    """How the numbers were measured, with the hash of each task's content, and what was added later."""
    source = document.about.get("provenance", {})
    if not {"commit", "time", "hardware"} <= set(source):
        return ""
    data = {column.name: column.sha256 for column in document.columns if column.sha256}
    parts = [measured_with({**source, "audio": data})]
    for each in document.about.get("completed", []):
        if {"commit", "time", "hardware"} <= set(each["provenance"]):
            parts.append(completed_with(each["provenance"], _added(document, each["cells"])))
    return " ".join(parts) + "\n"


def _added(document: Document, cells: Mapping[str, Sequence[str]]) -> str:
    """The cells of a completion, tasks with the same models together."""
    titles = {column.name: column.title for column in document.columns}
    by_models: dict[tuple[str, ...], list[str]] = {}
    for column in document.columns:
        if column.name in cells:
            by_models.setdefault(tuple(cells[column.name]), []).append(titles[column.name])
    parts = []
    for models, tasks in by_models.items():
        everyone = {row.name for row in document.rows if row.cells}
        of = "all models" if everyone <= set(models) else ", ".join(models)
        parts.append(f"{', '.join(tasks)} of {of}")
    return escaped("; ".join(parts))
