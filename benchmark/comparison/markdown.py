"""A comparison's summary as Markdown, and its means for a terminal."""

from __future__ import annotations

import html
import re
from typing import Any

from benchmark.comparison.comparison import OVERALL
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.metrics import metric
from benchmark.table import NOTHING, markdown
from byola_hear.terminal import aligned


def escaped(text: str) -> str:
    """Text that can't change a Markdown table or become anything but text.

    Example:
        >>> escaped("a|b <i>c</i>")
        'a\\\\|b &lt;i&gt;c&lt;/i&gt;'
    """
    line = html.escape(" ".join(str(text).split()), quote=False)
    for sign in "\\|`*[]":
        line = line.replace(sign, f"\\{sign}")
    return line


def unescaped(line: str) -> str:
    """The text that :func:`escaped` was given, but for its blanks.

    Example:
        >>> unescaped(escaped("a|b & <i>*c*</i>"))
        'a|b & <i>*c*</i>'
    """
    return html.unescape(re.sub(r"\\([\\|`*\[\]])", r"\1", line))


def number(value: float | None, low: float | None, high: float | None, digits: int, scale: float = 100) -> str:
    """A number ± half its interval.

    Example:
        >>> number(0.8471, 0.83, 0.87, 1), number(0.5, None, None, 1), number(None, None, None, 1)
        ('84.7 ± 2.0', '50.0', '–')
    """
    if value is None:
        return NOTHING
    half = "" if low is None or high is None else f" ± {scale * (high - low) / 2:.{digits}f}"
    return f"{scale * value:.{digits}f}{half}".replace("-", "−")


def column_title(column: dict[str, Any]) -> str:
    """A task's heading; an arrow where lower is better."""
    return escaped(column["title"]) + (" ↓" if column["lower_is_better"] else "")


def layout(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The table's columns as kind and name: tasks by domain, each domain's mean after its tasks, then both averages."""
    names_by_kind = []
    for group in document["groups"]:
        names = [column["name"] for column in document["columns"] if column["domain"] == group]
        names_by_kind += [("task", name) for name in names]
        if len(document["in_means"][group]) > 1:
            names_by_kind.append(("mean", group))
    return [*names_by_kind, ("mean", OVERALL), ("hear", "hear")]


def cell_texts(document: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    """A row's numbers ± half their intervals, by the name of the task, domain, :data:`OVERALL` or ``hear``."""
    columns = {column["name"]: column for column in document["columns"]}
    texts = {}
    for kind, name in layout(document):
        if kind == "task":
            cell, of = row["cells"].get(name), metric(columns[name]["metric"] or "top1_acc")
            value, low, high = (cell[key] if cell else None for key in ("score", "low", "high"))
            texts[name] = number(value, low, high, of.digits, of.shown(1.0))
            continue
        mean = row["hear"] if kind == "hear" else row["means"].get(name)
        value, low, high = (mean[key] if mean else None for key in ("value", "low", "high"))
        texts[name] = number(value, low, high, 2, 1) if kind == "hear" else number(value, low, high, 1)
    return texts


def _cells(document: dict[str, Any], row: dict[str, Any]) -> list[str]:
    cells = []
    for name, text in cell_texts(document, row).items():
        cell = row["cells"].get(name)
        text += "ᶠ" if cell and cell["interval"] == "folds" else ""
        cells.append(f"**{text}**" if text != NOTHING and row["name"] in document["best"].get(name, []) else text)
    return cells


def header(document: dict[str, Any]) -> list[str]:
    """Headings of the table."""
    columns = {column["name"]: column for column in document["columns"]}
    titles = {
        "task": lambda name: column_title(columns[name]),
        "mean": lambda name: "mean of all" if name == OVERALL else f"*{DOMAINS[name]} mean*",
        "hear": lambda name: "HEAR average",
    }
    return ["model", *(titles[kind](name) for kind, name in layout(document))]


def caption(document: dict[str, Any]) -> list[str]:
    """What a reader must know to read the numbers, a paragraph each."""
    hear = document["hear"]
    lower = [column["title"] for column in document["columns"] if column["lower_is_better"]]
    apart = [column["title"] for column in document["columns"] if not column["fraction"]]
    tested = [column for column in document["columns"] if column["metric"]]
    settings = document["settings"]
    grid = ""
    if "grid" in settings and "grid_points" in settings:
        grid = f" ({settings['grid_points']} of the points of heareval's grid {settings['grid']}, drawn by its seed)"
    lines = [
        f"Scores of HEAR's own probes{grid}, in %, ± half the 95 % interval of a bootstrap over the tested files "
        "(drawn anew within each fold, the same draws for every model; Wilson's interval where all files are right, "
        "or none; no interval where every draw gives the same score). Files of one speaker or recording are drawn as "
        "if they were independent."
    ]
    if any(cell["interval"] == "folds" for row in document["rows"] for cell in row["cells"].values()):
        lines.append(
            "ᶠ: the score is no ratio of sums over files; the interval is Student's t over the folds. "
            "Where such a score has fewer than three folds it has no interval."
        )
    metrics: dict[str, list[str]] = {}
    for column in tested:
        metrics.setdefault(column["metric_title"], []).append(column["title"])
    told = "; ".join(f"{title}: {', '.join(titles)}" for title, titles in metrics.items())
    lines.append(f"Scores by task: {escaped(told)}.")
    if lower:
        lines.append(
            f"{escaped(', '.join(lower))}: an error rate, lower is better (↓); it enters the means as one minus itself."
        )
    if apart:
        lines.append(f"{escaped(', '.join(apart))}: not on the scale of 0 to 1, in none of the means.")
    lines.append("A mean is given where a row has all its tasks; the best of each column, as rounded, is bold.")
    if hear["tasks"]:
        names = {column["name"]: column["title"] for column in document["columns"]}
        lacking = [names[column["name"]] for column in tested if column["name"] not in hear["tasks"]]
        without = f" (without {escaped(', '.join(lacking))})" if lacking else ""
        lines.append(
            "HEAR average: each task's scores standardised over the rows (mean 0, standard deviation 1), clipped to "
            f"±1, averaged over the tasks that all {len(hear['rows'])} compared rows have, {len(hear['tasks'])} of "
            f"{len(tested)}{without}; it tells how a row stands among these rows, and changes with them."
        )
    return lines


def markdown_tables(document: dict[str, Any]) -> str:
    """All of the tables in Markdown, made of a summary and of nothing else.

    Args:
        document: from :func:`benchmark.comparison.summary.summary`.

    Returns:
        Markdown that ends in a line break.
    """
    lines = [[escaped(row["name"]), *_cells(document, row)] for row in document["rows"]]
    parts = [markdown(header(document), lines), "\n\n".join(caption(document)) + "\n"]
    parts += [_spreads(document), _advantages(document), _published(document), _notes(document)]
    return "\n".join(part for part in parts if part)


def terminal_table(document: dict[str, Any]) -> str:
    """The means and HEAR's average as aligned text; the tasks are too many for a terminal."""
    names = [name for kind, name in layout(document) if kind != "task"]
    titles = {OVERALL: "mean of all", "hear": "HEAR average"}
    titles.update({domain: f"{title} mean" for domain, title in DOMAINS.items()})
    lines = []
    for row in document["rows"]:
        texts = cell_texts(document, row)
        lines.append([row["name"], str(len(row["cells"])), *(texts[name] for name in names)])
    return aligned(["model", "tasks", *(titles[name] for name in names)], lines)


def _spreads(document: dict[str, Any]) -> str:
    folded = [column for column in document["columns"] if column["folds"] > 1]
    rows = [row for row in document["rows"] if row["cells"]]
    if not folded or not rows:
        return ""

    def text(row: dict[str, Any], column: dict[str, Any]) -> str:
        cell, of = row["cells"].get(column["name"]), metric(column["metric"])
        return number(cell["spread"] if cell else None, None, None, of.digits, of.shown(1.0))

    lines = [[escaped(row["name"]), *(text(row, column) for column in folded)] for row in rows]
    return "Standard deviation over the folds, points:\n\n" + markdown(
        ["model", *(column_title(column) for column in folded)], lines
    )


def _p(value: float | None) -> str:
    return NOTHING if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _advantages(document: dict[str, Any]) -> str:
    if not document["advantages"]:
        return ""
    titles = {column["name"]: column["title"] for column in document["columns"]}
    lines = [
        [
            f"{escaped(each['network'])} − {escaped(each['reference'])}",
            DOMAINS[each["domain"]],
            f"{_signed(each['inside'], None, None)} ({each['n_inside']})",
            f"{_signed(each['outside'], None, None)} ({each['n_outside']})",
            _signed(each["value"], each["low"], each["high"]),
            _p(each["p"]),
        ]
        for each in document["advantages"]
    ]
    head = ["network − reference", "its domain", "in-domain (tasks)", "out-of-domain (tasks)", "advantage", "p"]
    text = (
        "Domain advantage, points: how much better than the reference the network is on the tasks of the domain it was "
        "trained on, less the same on the other domain's; ± half the 95 % interval over the tested files, drawn "
        "in pairs; p of flipping the sign of each task's difference.\n\n" + markdown(head, lines)
    )
    first = document["advantages"][0]
    told = [
        [
            escaped(titles[each["task"]]),
            _signed(each["value"], each["low"], each["high"]),
            NOTHING if each["only_network"] is None else f"{each['only_network']} : {each['only_reference']}",
            _p(each["p"]),
            _p(each["p_holm"]),
        ]
        for each in first["differences"]
    ]
    head = ["task", "difference", "files only one has right", "p", "p (Holm)"]
    return (
        f"{text}\nThe same by task, {escaped(first['network'])} − {escaped(first['reference'])}, p of the exact "
        "McNemar test of the pooled files, or of exchanging the two networks' results of each file where the score is "
        f"no accuracy; corrected over the tasks by Holm's method:\n\n{markdown(head, told)}"
    )


def _signed(value: float, low: float | None, high: float | None) -> str:
    half = "" if low is None or high is None else f" ± {50 * (high - low):.1f}"
    return f"{100 * value:+.1f}{half}".replace("-", "−")


def _published(document: dict[str, Any]) -> str:
    rows = document["published"]["rows"]
    if not rows:
        return ""
    columns = [column for column in document["columns"] if any(column["name"] in row["scores"] for row in rows)]

    def text(row: dict[str, Any], column: dict[str, Any]) -> str:
        score = row["scores"].get(column["name"])
        return NOTHING if score is None else f"{metric(column['metric']).shown(score):.1f}" if column["metric"] else ""

    lines = [[escaped(row["name"]), *(text(row, column) for column in columns)] for row in rows]
    return (
        f"Published, not measured here: the leaderboard of {document['published']['source']}, "
        "for the tasks above that are HEAR's own:\n\n"
        + markdown(["published model", *(column_title(column) for column in columns)], lines)
    )


def _notes(document: dict[str, Any]) -> str:
    notes = []
    for row in document["rows"]:
        if row["cells"]:
            lacking = "; ".join(f"{task}: {why}" for task, why in row["missing"].items())
            told = "; ".join(part for part in (row["note"], lacking) if part)
        else:
            word = "failed" if row["status"] == "failed" else "not measured"
            told = f"{word}: {row['reason'] or 'not run'}"
        if told:
            notes.append(f"- {escaped(row['name'])}: {escaped(told)}\n")
    return "".join([*notes, *(f"- {escaped(note)}\n" for note in document["notes"])])
