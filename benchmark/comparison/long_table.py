"""A comparison's summary as long tables, one line for each model and task: CSV and Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from benchmark.comparison.document import Document
from benchmark.comparison.rows import OVERALL

#: Columns of the long table, one line for each model and task.
LONG_COLUMNS = (
    "model",
    "status",
    "reason",
    "task",
    "domain",
    "metric",
    "score",
    "low",
    "high",
    "interval",
    "spread",
    "folds",
    "files",
    "origin",
)

#: Columns of the table of advantages: a line for each network, reference and task, and three for their means.
ADVANTAGE_COLUMNS = (
    "network",
    "reference",
    "scope",
    "domain",
    "difference",
    "low",
    "high",
    "only_network",
    "only_reference",
    "test",
    "p",
    "p_holm",
)


def long_rows(document: Document) -> list[dict[str, Any]]:
    """One line for each model and task, with :data:`LONG_COLUMNS`; for a row without scores, one line with the reason.

    Scores are heareval's (fractions, and d'). ``origin`` is ``measured`` or ``published``. Means are the tasks
    ``mean:DOMAIN``, ``mean:overall`` and ``hear_average``.
    """
    columns = {column.name: column for column in document.columns}
    lines: list[dict[str, Any]] = []

    def add(**values: Any) -> None:
        lines.append({**dict.fromkeys(LONG_COLUMNS), "origin": "measured", **values})

    for row in document.rows:
        model = {"model": row.name, "status": row.status, "reason": row.reason}
        if not row.cells:
            add(**model)
        for name, column in columns.items():
            about = {"task": name, "domain": column.domain, "metric": column.metric or None}
            if name in row.cells:
                cell = row.cells[name]
                kept = {key: getattr(cell, key) for key in ("score", "low", "high", "interval", "spread")}
                add(**model, **about, **kept, folds=column.folds, files=column.files)
            elif row.cells:
                add(**{**model, **about, "status": "missing", "reason": row.missing.get(name)})
        for group, mean in row.means.items():
            domain = None if group == OVERALL else group
            add(**model, task=f"mean:{group}", domain=domain, score=mean.value, low=mean.low, high=mean.high)
        if row.hear:
            add(**model, task="hear_average", score=row.hear.value, low=row.hear.low, high=row.hear.high)
    for other in document.published.rows:
        for name, score in other.scores.items():
            column = columns[name]
            about = {"task": name, "domain": column.domain, "metric": column.metric or None}
            add(model=other.name, **about, score=score, origin="published")
    return lines


def advantage_rows(document: Document) -> list[dict[str, Any]]:
    """One line for each network, reference and task, and three for each pair (``in-domain``, ``out-of-domain``,
    ``advantage``).
    """
    domains = {column.name: column.domain for column in document.columns}
    lines = []
    for each in document.advantages:
        pair = {"network": each.network, "reference": each.reference}
        empty = {**dict.fromkeys(ADVANTAGE_COLUMNS), **pair}
        for difference in each.differences:
            kept = {key: value for key, value in vars(difference).items() if key in ADVANTAGE_COLUMNS}
            name = difference.task
            lines.append({**empty, **kept, "scope": name, "domain": domains[name], "difference": difference.value})
        other = "nonspeech" if each.domain == "speech" else "speech"
        lines.append({**empty, "scope": "in-domain", "domain": each.domain, "difference": each.inside})
        lines.append({**empty, "scope": "out-of-domain", "domain": other, "difference": each.outside})
        kept = {"low": each.low, "high": each.high, "p": each.p, "test": "exchange of tasks between domains"}
        lines.append({**empty, "scope": "advantage", "difference": each.value, **kept})
    return lines


def csv_text(columns: Sequence[str], rows: list[dict[str, Any]]) -> str:
    """Write rows as CSV. Missing values are empty; numbers have at most seven digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([f"{value:.7g}" if isinstance(value := row[name], float) else value for name in columns])
    return stream.getvalue()


def parquet_bytes(document: Document) -> bytes:
    """The long table as Parquet, with the run's provenance in its metadata under ``about``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = long_rows(document)
    numbers, whole = ("score", "low", "high", "spread"), ("folds", "files")
    fields = [
        pa.field(name, pa.float64() if name in numbers else pa.int64() if name in whole else pa.string())
        for name in LONG_COLUMNS
    ]
    about = json.dumps({"suite": document.suite, "about": document.about}).encode()
    table = pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata={b"about": about}))
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()
