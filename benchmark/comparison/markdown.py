"""A comparison's summary in Markdown, and its means for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.comparison.caption import caption
from benchmark.comparison.comparison import OVERALL, SHORT_ROWS
from benchmark.comparison.document import Document, DocumentColumn, DocumentRow
from benchmark.comparison.findings import sentences
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.matched import matched_advantages
from benchmark.comparison.published import PublishedRow
from benchmark.comparison.text import escaped, number, p_value, signed, with_limits
from benchmark.reporting.markdown import NOTHING, markdown
from benchmark.reporting.provenance import completed_with, measured_with
from benchmark.tasks.limits import LIMITS
from byola_hear.cli.terminal import aligned

#: Rows of the short table besides the networks.
SHORT_OTHERS = 2


def column_title(column: DocumentColumn) -> str:
    """A task's heading, with an arrow if lower is better."""
    return escaped(column.title) + (" ↓" if column.lower_is_better else "")


def layout(document: Document) -> list[tuple[str, str]]:
    """The table's columns, kind and name: tasks by domain, each domain's mean after its tasks, then both averages."""
    names_by_kind = []
    for group in document.groups:
        names = [column.name for column in document.columns if column.domain == group]
        names_by_kind += [("task", name) for name in names]
        if len(document.in_means[group]) > 1:
            names_by_kind.append(("mean", group))
    return [*names_by_kind, ("mean", OVERALL), ("hear", "hear")]


def cell_texts(document: Document, row: DocumentRow) -> dict[str, str]:
    """A row's scores and intervals as text, by task, domain, :data:`OVERALL` or ``hear``."""
    texts = {}
    for kind, name in layout(document):
        if kind == "task":
            cell, of = row.cells.get(name), document.column(name).shown_as
            texts[name] = number(cell.score, cell.low, cell.high, of.digits, of.shown(1.0)) if cell else NOTHING
            continue
        mean = row.hear if kind == "hear" else row.means.get(name)
        if mean is None:
            texts[name] = NOTHING
        elif kind == "hear":
            texts[name] = with_limits(mean.value, mean.low, mean.high, 2)
        else:
            texts[name] = number(mean.value, mean.low, mean.high, 1)
    return texts


def _cells(document: Document, row: DocumentRow) -> list[str]:
    """A row's cells, the best of each column in bold."""
    cells = []
    for (_, name), text in zip(layout(document), cell_texts(document, row).values()):
        cell = row.cells.get(name)
        text += "ᶠ" if cell and cell.interval == "folds" and "±" in text else ""
        cells.append(f"**{text}**" if text != NOTHING and row.name in document.best.get(name, []) else text)
    return cells


def header(document: Document) -> list[str]:
    """The table's headings."""
    titles = {
        "task": lambda name: column_title(document.column(name)),
        "mean": lambda name: "mean of all" if name == OVERALL else f"*{DOMAINS[name]} mean*",
        "hear": lambda name: "HEAR average",
    }
    return ["model", *(titles[kind](name) for kind, name in layout(document))]


def markdown_tables(document: Document) -> str:
    """Write all tables in Markdown, from a summary alone.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        Markdown with a line break at its end.
    """
    lines = [[escaped(row.name), *_cells(document, row)] for row in document.rows]
    found = " ".join(sentences(document))
    parts = [found and f"{found}\n", markdown(header(document), lines), "\n\n".join(caption(document)) + "\n"]
    parts += [_limits(document), _spreads(document)]
    parts += [_advantages(document), _matched(document), _tests_by_task(document)]
    parts += [_published(document), _notes(document), _measured(document)]
    return "\n".join(part for part in parts if part)


def short_markdown(document: Document, full: str) -> str:
    """The means of a few rows and the first finding, for a README: networks, what has to be beaten, the best others.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.
        full: link to the full tables.

    Returns:
        Markdown with a line break at its end.
    """
    names = [name for kind, name in layout(document) if kind == "mean"]
    counts = {name: len(document.in_means[name]) for name in names}
    titles = [f"{'all' if name == OVERALL else DOMAINS[name]} ({counts[name]} tasks)" for name in names]
    lines = []
    for row in _short_rows(document):
        texts = cell_texts(document, row)
        best = [row.name in document.best.get(name, []) for name in names]
        lines.append(
            [f"`{row.name}`", *(f"**{texts[name]}**" if first else texts[name] for name, first in zip(names, best))]
        )
    if not lines:
        return f"No model has all tasks of a mean yet. All scores: {full}.\n"
    origin = f"Mean scores of HEAR's own probes, %, ± half the 95 % interval over the tested files. All models: {full}."
    parts = [*sentences(document)[:1], markdown(["trained on, or model", *titles], lines), origin]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _short_rows(document: Document) -> list[DocumentRow]:
    """The convolutional networks, then the best :data:`SHORT_OTHERS` other rows by their mean over all tasks."""
    measured = [row for row in document.rows if OVERALL in row.means]
    others = [row for row in measured if row.name not in SHORT_ROWS]
    others.sort(key=lambda row: -row.means[OVERALL].value)
    return [row for row in measured if row.name in SHORT_ROWS] + others[:SHORT_OTHERS]


def terminal_table(document: Document) -> str:
    """The means and HEAR's average as aligned text. There are too many tasks for a terminal."""
    names = [name for kind, name in layout(document) if kind != "task"]
    titles = {OVERALL: "mean of all", "hear": "HEAR average"}
    titles.update({domain: f"{title} mean" for domain, title in DOMAINS.items()})
    lines = []
    for row in document.rows:
        texts = cell_texts(document, row)
        lines.append([row.name, str(len(row.cells)), *(texts[name] for name in names)])
    return aligned(["model", "tasks", *(titles[name] for name in names)], lines)


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
