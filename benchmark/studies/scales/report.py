"""The report of the study of scales, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.comparison.document import Document, DocumentRow, read_document
from benchmark.probes.probe import TaskResult
from benchmark.probes.splits import TASKS
from benchmark.reporting.markdown import NOTHING, markdown
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_numbers
from benchmark.tasks.registry import SUITES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "scales"
TITLE = "What standardising embeddings changes"
#: Embeddings with one scale for all dimensions, and with a scale for each.
KINDS = ("as they are", "standardised")
MEAN = "mean"
CAPTION = (
    "Accuracy, %, of the same linear probe on embeddings as they are (circle) and on embeddings standardised by the "
    "training part (dot); the lines are 95 % bootstrap intervals over the tested clips."
)


def report(folder: Path) -> Report:
    """Make the report from ``scales.csv``, and from the tables of HEAR's probes that have a standardised twin.

    Raises:
        FileNotFoundError: if ``scales.csv`` is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME).astype({"fold": str})
    summary = summarised(numbers)
    tables = [table(summary), *twins(folder)]
    return Report(TITLE, sentences(summary), tables, {NAME: (partial(draw, summary), CAPTION)})


def summarised(numbers: pd.DataFrame, n_draws: int = 2000) -> pd.DataFrame:
    """Accuracies by model, task and kind of scales, with intervals, and the change from one kind to the other.

    Columns: ``model``, ``task`` (also :data:`MEAN`), ``scales``, ``value``, ``low``, ``high``; the third kind,
    ``change``, has the differences. Their intervals take the two as independent, so they are too wide rather than too
    narrow.
    """
    by_fold = numbers.groupby(["model", "task", "scales", "fold"], sort=False)[["accuracy", "clips"]].mean()
    lines = []
    tasks = list(dict.fromkeys(numbers["task"]))
    for model in dict.fromkeys(numbers["model"]):
        drawn: dict[tuple[str, str], tuple[float, np.ndarray]] = {}
        for number, task in enumerate(tasks):
            for which, kind in enumerate(KINDS):
                part = by_fold.loc[(model, task, kind)]
                counts = part["clips"].astype(int).tolist()
                result = TaskResult(task, list(part.index), part["accuracy"].tolist(), [], counts)
                drawn[task, kind] = result.accuracy, result.draws(2 * number + which, n_draws)
        for kind in KINDS:
            each = [drawn[task, kind] for task in tasks]
            drawn[MEAN, kind] = float(np.mean([value for value, _ in each])), np.mean([draws for _, draws in each], 0)
        for task in (*tasks, MEAN):
            before, after = (drawn[task, kind] for kind in KINDS)
            drawn[task, "change"] = after[0] - before[0], after[1] - before[1]
            for kind in (*KINDS, "change"):
                value, draws = drawn[task, kind]
                low, high = np.percentile(draws, [2.5, 97.5])
                lines.append((model, task, kind, value, float(low), float(high)))
    return pd.DataFrame(lines, columns=["model", "task", "scales", "value", "low", "high"])


def _of(summary: pd.DataFrame, task: str, kind: str) -> pd.DataFrame:
    return summary[(summary["task"] == task) & (summary["scales"] == kind)].set_index("model")


def table(summary: pd.DataFrame) -> str:
    """As they are, an arrow, standardised: a row a model, a column a task; then the change of the mean."""
    frame = pd.DataFrame(index=pd.Index(list(dict.fromkeys(summary["model"])), name="model"))
    for task in dict.fromkeys(summary["task"]):
        before, after = (_of(summary, task, kind)["value"] for kind in KINDS)
        title = TASKS[task].title if task in TASKS else task
        frame[title] = [f"{before[model]:.1f} → {after[model]:.1f}" for model in frame.index]
    change = _of(summary, MEAN, "change")
    half = (change["high"] - change["low"]) / 2
    frame["change of the mean"] = [f"{change['value'][model]:+.1f} ± {half[model]:.1f}" for model in frame.index]
    return "Accuracy, %, of the linear probe on embeddings as they are → standardised:\n\n" + frame_table(frame)


def sentences(summary: pd.DataFrame) -> list[str]:
    """What standardising changes, and which of two such tables serves for what."""
    change = _of(summary, MEAN, "change").sort_values("value")
    moved = [name for name in change.index if change["low"][name] > 0 or change["high"][name] < 0]
    still = [name for name in change.index if name not in moved]
    n_tasks = len(set(summary["task"])) - 1
    found = []
    if moved:
        shown = [f"`{name}` {change['value'][name]:+.1f}" for name in moved]
        found.append(f"Standardising changes the mean over {n_tasks} tasks by, in points: {listed(shown)}.")
    if still:
        found.append(f"For {listed([f'`{name}`' for name in still])} the interval of the change includes 0.")
    orders = [list(_of(summary, MEAN, kind).sort_values("value", ascending=False).index) for kind in KINDS]
    if len(change) > 1 and orders[0] == orders[1]:
        found.append(f"The order of the {len(change)} models by their mean stays the same.")
    elif len(change) > 1:
        texts = [", ".join(f"`{name}`" for name in order) for order in orders]
        found.append(f"The order by the mean, best first, is {texts[0]} as they are, and {texts[1]} standardised.")
    found.append(
        "Trust a table of embeddings as they are for a comparison with HEAR's published scores, and for what a user "
        "gets who does not standardise; trust its standardised twin for what is in the embeddings, because it does not "
        "depend on the units of their dimensions."
    )
    return found


def draw(summary: pd.DataFrame) -> Figure:
    """A panel for the mean and for each task, a row for each model."""
    models = list(_of(summary, MEAN, KINDS[1]).sort_values("value").index)
    tasks = [MEAN, *(task for task in dict.fromkeys(summary["task"]) if task != MEAN)]
    colour = colours(models)
    figure = new_figure(2.1 * len(tasks), 1.2 + 0.3 * len(models))
    for axis, task in zip(figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0], tasks):
        for place, model in enumerate(models):
            ends = []
            for kind, height, face in ((KINDS[0], 0.12, "white"), (KINDS[1], -0.12, colour[model])):
                row = _of(summary, task, kind).loc[model]
                axis.plot([row["low"], row["high"]], [place + height] * 2, color=colour[model], linewidth=1)
                axis.plot(row["value"], place + height, "o", color=colour[model], markerfacecolor=face, markersize=5)
                ends.append((row["value"], place + height))
            axis.annotate(
                "", ends[1], ends[0], arrowprops={"arrowstyle": "->", "color": "#999999", "shrinkA": 3, "shrinkB": 3}
            )
        axis.set_yticks(range(len(models)), models)
        axis.set_title(
            "mean of the tasks" if task == MEAN else TASKS[task].title if task in TASKS else task, fontsize=9
        )
        axis.grid(axis="x", alpha=0.3)
        axis.set_xlabel("accuracy, %", fontsize=8)
    return figure


def twins(folder: Path) -> list[str]:
    """Tables of HEAR's own probes that were measured both ways, as they are → standardised."""
    found = []
    for suite in (*SUITES, "tasks"):
        paths = [folder / f"{suite}{suffix}.json" for suffix in ("", "_standardised")]
        if all(path.is_file() for path in paths):
            text = _twin(*map(read_document, paths))
            if text:
                found.append(f"HEAR's own probes on the suite {suite}, %, as they are → standardised:\n\n{text}")
    return found


def _twin(before: Document, after: Document) -> str:
    """The scores of the same models and tasks in two documents; empty if there are none."""
    rows = [(row, _same(before, row)) for row in after.rows]
    shared = [(old, new) for new, old in rows if old is not None and set(old.cells) & set(new.cells)]
    columns = [
        column
        for column in after.columns
        if any(column.name in old.cells and column.name in new.cells for old, new in shared)
    ]
    lines = []
    for old, new in shared:
        cells, pairs = [], []
        for column in columns:
            if column.name not in old.cells or column.name not in new.cells:
                cells.append(NOTHING)
                continue
            scores = [row.cells[column.name].score for row in (old, new)]
            pairs.append([row.cells[column.name].gain for row in (old, new)])
            cells.append(" → ".join(f"{column.shown_as.shown(score):.1f}" for score in scores))
        means = 100 * np.mean(pairs, 0)
        lines.append([new.name, *cells, f"{means[0]:.1f} → {means[1]:.1f}"])
    return markdown(["model", *(column.title for column in columns), "mean"], lines) if lines else ""


def _same(document: Document, row: DocumentRow) -> DocumentRow | None:
    """The row of the same model with the same embeddings in another document."""
    return next((each for each in document.rows if each.name == row.name and each.identity == row.identity), None)
