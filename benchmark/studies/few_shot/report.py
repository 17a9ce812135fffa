"""The report of the few-shot study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.comparison.intervals import finite_percentiles
from benchmark.probes.splits import TASKS
from benchmark.studies.few_shot.draws import PROBES, RAW
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "few_shot"
TITLE = "How few labels are enough"
CAPTION = (
    "Accuracy, %, by the number of labels a class: mean over the draws, which take the folds in turn; shaded, one "
    "standard deviation."
)
#: The number of labels a class of MAEB's protocol.
MAEB = 8


def report(folder: Path) -> Report:
    """Make the report from ``few_shot.csv`` and ``few_shot.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    found = sentences(numbers, read_about(folder, NAME)["draws"])
    return Report(TITLE, found, [table(numbers)], {NAME: (partial(draw_curves, numbers), CAPTION)})


def summary(numbers: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the draws, after averaging over seeds.

    Columns: ``model``, ``task``, ``probe``, ``count``, ``mean`` and ``spread``.
    """
    by_draw = numbers.groupby(["model", "task", "probe", "count", "draw"], sort=False)["accuracy"].mean().reset_index()
    grouped = by_draw.groupby(["model", "task", "probe", "count"], sort=False)["accuracy"]
    return grouped.agg(mean="mean", spread="std").reset_index()


def draw_curves(numbers: pd.DataFrame) -> Figure:
    """A panel for each task and probe, a line for each model."""
    table = summary(numbers)
    tasks, models = list(dict.fromkeys(table["task"])), list(dict.fromkeys(table["model"]))
    colour, probes = colours(models), [probe for probe in PROBES if (table["probe"] == probe).any()]
    counts = sorted(set(table["count"]))
    figure = new_figure(max(7.0, 2.5 * len(tasks)), 0.6 + 2.3 * len(probes))
    grid = figure.subplots(len(probes), len(tasks), sharex=True, sharey="col", squeeze=False)
    for number, (line, probe) in enumerate(zip(grid, probes)):
        for axis, task in zip(line, tasks):
            for model in models:
                rows = table[(table["task"] == task) & (table["probe"] == probe) & (table["model"] == model)]
                axis.plot(rows["count"], rows["mean"], marker="o", markersize=3, color=colour[model], label=model)
                low, high = rows["mean"] - rows["spread"], rows["mean"] + rows["spread"]
                axis.fill_between(rows["count"], low, high, color=colour[model], alpha=0.12, linewidth=0)
            axis.set_xscale("log")
            axis.set_xticks(counts, [str(count) for count in counts])
            axis.minorticks_off()
            axis.grid(alpha=0.3)
            if number == 0:
                axis.set_title(TASKS[task].title if task in TASKS else task)
            if number == len(probes) - 1:
                axis.set_xlabel("labels a class")
        line[0].set_ylabel(f"{probe}: accuracy, %")
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=min(6, len(models)), frameon=False, fontsize=8)
    return figure


def _complete(numbers: pd.DataFrame) -> list[str]:
    """Tasks with results for every number of labels, so that means over them can be compared."""
    counts = set(numbers["count"])
    return [str(task) for task, rows in numbers.groupby("task", sort=False) if set(rows["count"]) == counts]


def _means(numbers: pd.DataFrame) -> pd.DataFrame:
    """Means over the complete tasks: a row for each model and probe, a column for each number of labels."""
    table = summary(numbers)
    chosen = table[table["task"].isin(_complete(numbers))]
    return chosen.pivot_table(index=["model", "probe"], columns="count", values="mean", aggfunc="mean", sort=False)


def by_draw(numbers: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies of each draw over the complete tasks and seeds: rows by model, probe and count, columns draws."""
    chosen = numbers[numbers["task"].isin(_complete(numbers))]
    return chosen.pivot_table(
        index=["model", "probe", "count"], columns="draw", values="accuracy", aggfunc="mean", sort=False
    )


def interval(draws: np.ndarray, n_samples: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of draws ``(n_draws,)``; nothing but the choice of clips and folds varies."""
    chosen = np.random.default_rng(0).integers(len(draws), size=(n_samples, len(draws)))
    return finite_percentiles(draws[chosen].mean(1))


def table(numbers: pd.DataFrame) -> str:
    """Mean accuracies in Markdown: a row a model and probe, a column a number of labels."""
    means, draws = _means(numbers), by_draw(numbers)
    rows = means.astype(object)
    for model, probe in means.index:
        for count in means.columns:
            low, high = interval(draws.loc[(model, probe, count)].to_numpy(float))
            rows.loc[(model, probe), count] = f"{means.loc[(model, probe), count]:.1f} ± {(high - low) / 2:.1f}"
    rows.index = pd.Index([f"{model}, {probe}" for model, probe in means.index], name="model, probe")
    rows.columns = [f"{count} a class" for count in rows.columns]
    over = listed(_complete(numbers))
    raw = any(probe.endswith(RAW) for _, probe in means.index)
    note = "Probes called raw see embeddings as they are, the others standardise by the training clips. " if raw else ""
    return (
        f"Accuracy, %, mean over the draws and over {over}, ± half the 95 % bootstrap interval over the draws. "
        f"{note}The intervals cover the choice of clips and folds, and no other tasks or sounds.\n\n"
        + frame_table(rows)
    )


def sentences(numbers: pd.DataFrame, draws: int) -> list[str]:
    """Some sentences on what was found.

    Args:
        numbers: what ``few_shot.csv`` holds.
        draws: number of draws.
    """
    means, spreads = _means(numbers), summary(numbers)
    model = numbers["model"].iloc[0]
    counts = [int(count) for count in means.columns]
    # One probe, whatever the results: the better of two by the accuracy that is reported would flatter.
    probe = "ridge"
    found = [
        f"With {listed([str(count) for count in counts])} labels a class, a {probe} probe on `{model}` classifies "
        f"{listed([f'{means.loc[(model, probe), count]:.1f} %' for count in counts])} of the clips correctly (mean "
        f"over {len(_complete(numbers))} tasks and {draws} draws)."
    ]
    others = [name for name in dict.fromkeys(numbers["model"]) if name != model]
    if others:
        shown = [
            f"`{name}` {means.loc[(name, probe), counts[0]]:.1f} and {means.loc[(name, probe), counts[-1]]:.1f} %"
            for name in others
        ]
        found.append(f"The same probe on other models, with {counts[0]} and {counts[-1]} labels: {listed(shown)}.")
    if MAEB in counts and f"{probe}{RAW}" in set(numbers["probe"]):
        found.append(_with_eight(numbers, probe))
    one = spreads[(spreads["model"] == model) & (spreads["probe"] == probe) & (spreads["count"] == counts[0])]
    widest = one.loc[one["spread"].idxmax()]
    found.append(
        f"With {counts[0]} a class, the choice of clips and fold matters: the standard deviation over draws for "
        f"`{model}` is {one['spread'].mean():.1f} points on average and {widest['spread']:.1f} at most "
        f"({widest['task']})."
    )
    return found


def _with_eight(numbers: pd.DataFrame, probe: str) -> str:
    """A sentence on raw and standardised embeddings with eight labels a class, draw by draw."""
    draws, shown = by_draw(numbers), []
    for model in dict.fromkeys(numbers["model"]):
        standardised, raw = (draws.loc[(model, name, MAEB)].to_numpy(float) for name in (probe, f"{probe}{RAW}"))
        low, high = interval(standardised - raw)
        sure = "" if low > 0 or high < 0 else ", an interval that includes 0"
        change = f"{(standardised - raw).mean():+.1f} ± {(high - low) / 2:.1f}"
        shown.append(f"`{model}` {raw.mean():.1f} → {standardised.mean():.1f} % ({change}{sure})")
    return (
        f"With {MAEB} labels a class, as MAEB has, standardising embeddings changes the {probe} probe's accuracy: "
        f"{'; '.join(shown)}."
    )
