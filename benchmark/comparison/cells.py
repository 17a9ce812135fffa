"""What the tables of a comparison have in their columns and cells, as text."""

from __future__ import annotations

from benchmark.comparison.document import Document, DocumentColumn, DocumentRow
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.rows import OVERALL
from benchmark.comparison.text import escaped, number, with_limits
from benchmark.reporting.markdown import NOTHING


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


def header(document: Document) -> list[str]:
    """The table's headings."""
    titles = {
        "task": lambda name: column_title(document.column(name)),
        "mean": lambda name: "mean of all" if name == OVERALL else f"*{DOMAINS[name]} mean*",
        "hear": lambda name: "HEAR average",
    }
    return ["model", *(titles[kind](name) for kind, name in layout(document))]
