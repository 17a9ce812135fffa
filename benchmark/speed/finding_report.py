"""The report of :mod:`benchmark.speed.finding`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byola_hear.cli.terminal import aligned

Table = Callable[[list[str], list[list[str]]], str]
#: Rows that searches are reported for.
PER_ROWS = 100_000
#: What stands between the two tables; pages include one of them.
BETWEEN = "<!-- search -->"


def report(result: dict[str, Any], table: Table = aligned) -> str:
    """A result as text.

    Args:
        result: what :func:`benchmark.speed.finding.command` writes.
        table: makes a table from a header and rows.
    """
    return "\n".join([_detection(result, table), "", BETWEEN, "", _search(result, table)])


def _detection(result: dict[str, Any], table: Table) -> str:
    found, about = result["detection"], result["about"]
    times, seconds = found["cpu_seconds"], found["seconds"]

    def times_real(name: str) -> str:
        return f"{seconds / times[name]:,.0f} times"

    hours = 100 * times["predict"] / seconds
    rows = [
        [f"`learn` from {found['clips']} clips of 5 s", f"{times['learn']:.0f} s", "—"],
        ["`learn` once more, with `--embeddings`", f"{times['learn_again']:.0f} s", "—"],
        ["`predict`, from recordings to Raven tables", f"{times['predict']:.0f} s", times_real("predict")],
        ["`predict` from a table that `embed` wrote", f"{times['predict_table']:.1f} s", times_real("predict_table")],
    ]
    text = (
        f"{seconds / 60:.0f} minutes of recordings, {about['window']:g} s windows every {about['window'] / 2:g} s. "
        f"CPU time, all threads. At this rate, 100 hours of recordings take {hours:.2g} hours of one core: "
        f"{60 * hours / 2:.0f} minutes on two. {about['hardware']}."
    )
    return "\n".join([table(["command", "CPU time", "real time"], rows), "", text])


def _search(result: dict[str, Any], table: Table) -> str:
    found = result["search"]
    times, factor = found["cpu_seconds"], PER_ROWS / found["rows"]

    def scaled(name: str) -> str:
        return f"{times[name] * factor:.2g} s"

    rows = [
        ["Parquet", scaled("plain"), scaled("standardised")],
        ["Parquet, making an index", "—", scaled("index_made")],
        ["Parquet with an index", "—", scaled("index")],
        ["DataFrame", scaled("memory_plain"), scaled("memory")],
    ]
    many = times["many_read"] + times["many"]
    text = (
        f"For {PER_ROWS:,} rows of {found['size']} dimensions, measured with {found['rows']:,}; the time grows with "
        f"the number of rows. An index of {found['many_rows']:,} rows is read and searched in {many:.2g} s, the "
        f"search alone takes {times['many']:.2g} s. The index has "
        f"{100 * found['index_bytes'] / found['table_bytes']:.1f} % of the table's bytes."
    )
    return "\n".join([table(["table", "plain", "standardised"], rows), "", text])
