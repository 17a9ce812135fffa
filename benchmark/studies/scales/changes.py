"""Scores of the same models and tasks on embeddings as they are and on standardised ones, with the changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.comparison.intervals import finite_percentiles
from benchmark.probes.probe import TaskResult
from benchmark.reporting.markdown import NOTHING
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import frame_table, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Embeddings with one scale for all dimensions, and with a scale for each.
KINDS = ("as they are", "standardised")
CHANGE = "change"
MEAN = "mean"
COLUMNS = ("model", "task", "scales", "value", "low", "high")
#: Panels in a row of a figure, at most.
MOST_PANELS = 8


def summarised(numbers: pd.DataFrame, n_draws: int = 2000) -> pd.DataFrame:
    """Accuracies by model, task and kind of scales, with intervals, and the change from one kind to the other.

    Columns: ``model``, ``task`` (also :data:`MEAN`), ``scales``, ``value``, ``low``, ``high``; the third kind,
    :data:`CHANGE`, has the differences. Their intervals take the two as independent, so they are too wide rather than
    too narrow.
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
            drawn[task, CHANGE] = after[0] - before[0], after[1] - before[1]
            for kind in (*KINDS, CHANGE):
                value, draws = drawn[task, kind]
                lines.append((model, task, kind, value, *finite_percentiles(draws)))
    return pd.DataFrame(lines, columns=COLUMNS)


def of(summary: pd.DataFrame, task: str, kind: str) -> pd.DataFrame:
    """The lines of a task and a kind, by model."""
    return summary[(summary["task"] == task) & (summary["scales"] == kind)].set_index("model")


def tasks_of(summary: pd.DataFrame) -> list[str]:
    """The tasks of a summary, without the mean."""
    return [task for task in dict.fromkeys(summary["task"]) if task != MEAN]


def table(summary: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """As they are, an arrow, standardised: a row a model, a column a task; then the change of the mean."""
    models = list(dict.fromkeys(summary["model"]))
    frame = pd.DataFrame(index=pd.Index(models, name="model"))
    for task in (*tasks_of(summary), MEAN):
        before, after = (of(summary, task, kind)["value"] for kind in KINDS)
        frame[titles.get(task, task)] = [
            f"{before[model]:.1f} → {after[model]:.1f}" if model in before.index else NOTHING for model in models
        ]
    change = of(summary, MEAN, CHANGE)
    half = (change["high"] - change["low"]) / 2
    frame["change of the mean"] = [
        f"{change['value'][model]:+.1f} ± {half[model]:.1f}" if model in change.index else NOTHING for model in models
    ]
    return frame_table(frame)


def change_sentences(summary: pd.DataFrame, n_tasks: int, probe: str = "") -> list[str]:
    """What standardising changes.

    Args:
        summary: the scores.
        n_tasks: number of tasks of the mean.
        probe: which probe it is, to begin with; empty for none.
    """
    change = of(summary, MEAN, CHANGE).sort_values("value")
    moved = [name for name in change.index if change["low"][name] > 0 or change["high"][name] < 0]
    still = [name for name in change.index if name not in moved]
    start = f"{probe}, standardising" if probe else "Standardising"
    found = []
    if moved:
        shown = [f"`{name}` {change['value'][name]:+.1f}" for name in moved]
        found.append(f"{start} changes the mean over {n_tasks} tasks by, in points: {listed(shown)}.")
    if still:
        shown = [f"`{name}` ({change['value'][name]:+.1f})" for name in still]
        alone = "" if moved else f" of the mean over {n_tasks} tasks"
        text = f"for {listed(shown)} the interval of the change{alone} includes 0."
        found.append(f"{probe}, {text}" if probe and not moved else text[0].upper() + text[1:])
    orders = [list(of(summary, MEAN, kind).sort_values("value", ascending=False).index) for kind in KINDS]
    if len(change) > 1 and orders[0] == orders[1]:
        found.append(f"The order of the {len(change)} models by their mean stays the same.")
    elif moved:
        texts = [", ".join(f"`{name}`" for name in order) for order in orders]
        found.append(f"The order by the mean, best first, is {texts[0]} as they are, and {texts[1]} standardised.")
    return found


def draw(summary: pd.DataFrame, titles: Mapping[str, str], unit: str = "accuracy, %") -> Figure:
    """A panel for the mean and for each task, in which each model has a line."""
    ranked = of(summary, MEAN, KINDS[1]).sort_values("value").index
    models = [*(name for name in dict.fromkeys(summary["model"]) if name not in ranked), *ranked]
    tasks = [MEAN, *tasks_of(summary)]
    colour = colours(models)
    n_rows = math.ceil(len(tasks) / MOST_PANELS)
    n_columns = math.ceil(len(tasks) / n_rows)
    figure = new_figure(2.1 * n_columns, (1.2 + 0.3 * len(models)) * n_rows)
    axes = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False).ravel()
    for axis in axes[len(tasks) :]:
        axis.remove()
    for axis, task in zip(axes, tasks):
        lines = {kind: of(summary, task, kind) for kind in KINDS}
        for place, model in enumerate(models):
            if model not in lines[KINDS[0]].index:
                continue
            ends = []
            for kind, height, face in ((KINDS[0], 0.12, "white"), (KINDS[1], -0.12, colour[model])):
                row = lines[kind].loc[model]
                axis.plot([row["low"], row["high"]], [place + height] * 2, color=colour[model], linewidth=1)
                axis.plot(row["value"], place + height, "o", color=colour[model], markerfacecolor=face, markersize=5)
                ends.append((row["value"], place + height))
            axis.annotate(
                "", ends[1], ends[0], arrowprops={"arrowstyle": "->", "color": "#999999", "shrinkA": 3, "shrinkB": 3}
            )
        axis.set_yticks(range(len(models)), models)
        axis.set_title("mean of the tasks" if task == MEAN else titles.get(task, task), fontsize=9)
        axis.grid(axis="x", alpha=0.3)
        axis.set_xlabel(unit, fontsize=8)
    return figure
