"""What a reader must know to read the comparison's numbers."""

from __future__ import annotations

from typing import Any

from benchmark.comparison.text import escaped


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
        "if they were independent. The probes take embeddings as they are, without standardising them, which "
        "embeddings whose numbers differ in size by orders of magnitude suffer from."
    ]
    if any(cell["interval"] == "folds" for row in document["rows"] for cell in row["cells"].values()):
        lines.append(
            "ᶠ: the score is no ratio of sums over files; the interval is Student's t over the folds. "
            "Where such a score has fewer than three folds it has no interval."
        )
    lines += _own_settings(document)
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
            f"{len(tested)}{without}, and the limits of its (approximate) basic bootstrap interval; it tells how a row "
            "stands among these rows, and changes with them."
        )
    return lines


def _own_settings(document: dict[str, Any]) -> list[str]:
    """A paragraph on the settings that tasks put in the place of the grid's; none where no task does."""
    titles: dict[str, list[str]] = {}
    for column in document["columns"]:
        told = [f"{name} {' or '.join(map(str, values))}" for name, values in sorted(column["own_settings"].items())]
        if told and column["metric"]:
            titles.setdefault(", ".join(told), []).append(column["title"])
    each = "; ".join(f"{', '.join(tasks)}: {told}" for told, tasks in titles.items())
    return [f"Settings that tasks have of their own, in place of the grid's: {escaped(each)}."] if each else []
