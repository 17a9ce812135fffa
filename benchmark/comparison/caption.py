"""How to read the comparison's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.comparison.document import Document
from benchmark.comparison.text import escaped


def caption(document: Document) -> list[str]:
    """Explain the numbers of a summary, a paragraph each."""
    hear = document.hear
    lower = [column.title for column in document.columns if column.lower_is_better]
    apart = [column.title for column in document.columns if not column.fraction]
    tested = [column for column in document.columns if column.metric]
    settings = document.settings
    grid = ""
    if "grid" in settings and "grid_points" in settings:
        grid = f" ({settings['grid_points']} points of heareval's grid {settings['grid']}, drawn with its seed)"
    lines = [
        f"Scores of HEAR's own probes{grid}, in %, ± half the 95 % interval of a bootstrap over the tested files. "
        "Files are resampled within each fold, with the same draws for every model. Where all files or none are "
        "correct, the interval is Wilson's; where every draw gives the same score, there is none. Files of one speaker "
        "or recording are resampled as if they were independent. The intervals do not cover the training of the "
        "probes: processors round differently, which can change a probe and which hyperparameters are chosen. "
        + _scales(settings)
    ]
    if any(cell.interval == "folds" for row in document.rows for cell in row.cells.values()):
        lines.append(
            "ᶠ: the score is not a ratio of sums over files, so the interval is Student's t over the folds; with fewer "
            "than three folds, there is none."
        )
    lines += _own_settings(document)
    metrics: dict[str, list[str]] = {}
    for column in tested:
        metrics.setdefault(column.metric_title, []).append(column.title)
    by_metric = "; ".join(f"{title}: {', '.join(titles)}" for title, titles in metrics.items())
    lines.append(f"Scores by task: {escaped(by_metric)}.")
    if lower:
        lines.append(
            f"{escaped(', '.join(lower))}: an error rate, lower is better (↓); the means include one minus the rate."
        )
    if apart:
        lines.append(f"{escaped(', '.join(apart))}: not on a scale from 0 to 1, so not part of any mean.")
    lines.append("A row has a mean if it has all tasks of the mean. The best rounded value of each column is bold.")
    completed = document.about.get("completed", [])
    if completed:
        lines.append(
            "The table was completed after it was first measured. Where it spans cells of both times, the interval of "
            "a mean or an advantage adds the variances of the tasks, and HEAR's average has none."
        )
    if hear.tasks:
        names = {column.name: column.title for column in document.columns}
        lacking = [names[column.name] for column in tested if column.name not in hear.tasks]
        without = f", without {escaped(', '.join(lacking))}" if lacking else ""
        limits = ""
        if any(row.hear is not None and row.hear.low is not None for row in document.rows):
            limits = ", with the limits of its approximate basic bootstrap interval"
        lines.append(
            "HEAR average: each task's scores standardised over the rows (mean 0, standard deviation 1), clipped to "
            f"±1, averaged over the tasks that all {len(hear.rows)} compared rows have ({len(hear.tasks)} of "
            f"{len(tested)}{without}){limits}. It shows how a row stands among these rows and changes with them."
        )
    return lines


def _scales(settings: Mapping[str, Any]) -> str:
    """A sentence on the scales of the embeddings that the probes see."""
    if settings.get("standardise"):
        return (
            "Each dimension of the embeddings is standardised by the training part of each fit, and clamped to the "
            "range of the training part plus one standard deviation, which HEAR does not do."
        )
    return (
        "The probes do not standardise embeddings, which is a disadvantage for embeddings whose dimensions differ in "
        "scale by orders of magnitude."
    )


def _own_settings(document: Document) -> list[str]:
    """A paragraph on settings of tasks that replace those of the grid; none if no task has any."""
    titles: dict[str, list[str]] = {}
    for column in document.columns:
        own = [f"{name} {' or '.join(map(str, values))}" for name, values in sorted(column.own_settings.items())]
        if own and column.metric:
            titles.setdefault(", ".join(own), []).append(column.title)
    each = "; ".join(f"{', '.join(tasks)}: {own}" for own, tasks in titles.items())
    return [f"Some tasks have settings that replace those of the grid: {escaped(each)}."] if each else []
