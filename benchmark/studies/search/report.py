"""The report of the study of search, made from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.probes.splits import TASKS
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers
from benchmark.studies.scores import Estimate, resampled_mean
from byola_hear.analysis.search import COSINES, EXCLUDED_WEIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "search"
TITLE = "Two cosines for a search"
CAPTION = (
    "Share of the five nearest neighbours, of other groups, that have the query's label, %: from the plain cosine "
    "(open) to the standardised cosine (filled)."
)


def report(folder: Path) -> Report:
    """Make the report from ``search.csv`` and ``search.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    tables = [task_table(numbers, about), away_table(numbers, about), notes(about)]
    if (numbers["measure"] == "small").any():
        tables.insert(1, small_table(numbers, about))
    return Report(TITLE, sentences(numbers, about), tables, {NAME: (partial(draw_cosines, numbers), CAPTION)})


def models_of(numbers: pd.DataFrame) -> list[str]:
    """The models, in the order of the numbers."""
    return [str(model) for model in numbers["model"].unique()]


def shares(numbers: pd.DataFrame, measure: str, by: str) -> pd.DataFrame:
    """Means of a measure: a row for each model, cosine and task, a column for each value of ``by``."""
    rows = numbers[numbers["measure"] == measure]
    return rows.groupby(["model", "cosine", "task", by], sort=False)["share"].mean().unstack(by)


def by_task(numbers: pd.DataFrame) -> pd.DataFrame:
    """Shares among neighbours: a row for each model and cosine, a column for each task by its title."""
    rows = numbers[numbers["measure"] == "neighbours"]
    found = rows.groupby(["model", "cosine", "task"], sort=False)["share"].mean().unstack("task")[rows["task"].unique()]
    return found.rename(columns={name: TASKS[name].title for name in found if name in TASKS})


def gain(numbers: pd.DataFrame, model: str) -> Estimate:
    """The mean over tasks of the standardised minus the plain share, points, with its 95 % interval over the tasks."""
    found = by_task(numbers).loc[model]
    return resampled_mean((found.loc["standardised"] - found.loc["plain"]).to_numpy(float))


def by_weight(numbers: pd.DataFrame) -> pd.DataFrame:
    """Mean shares of hits away from a wrong sound: a row for each model and cosine, a column for each weight."""
    return shares(numbers, "away", "weight").groupby(level=["model", "cosine"], sort=False).mean()


def task_table(numbers: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Shares by task, in Markdown."""
    found = by_task(numbers)
    rows = {}
    for model in models_of(numbers):
        for cosine in reversed(COSINES):
            values = found.loc[(model, cosine)]
            difference = "" if cosine == "plain" else str(gain(numbers, model))
            rows[f"{model}, {cosine}"] = [*(f"{value:.1f}" for value in values), f"{values.mean():.1f}", difference]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[*found, "mean", "difference"])
    frame.index.name = "model, cosine"
    return (
        "Share of the five nearest neighbours, of other groups, that have the query's label, %, and the difference of "
        f"the means, points, with its 95 % interval over the tasks; {about['parts']} parts:\n\n{frame_table(frame)}"
    )


def small_table(numbers: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Gains by the standardised cosine in small collections, in Markdown: means over tasks that have every size."""
    found = shares(numbers, "small", "clips").dropna()
    gaps = found.xs("standardised", level="cosine") - found.xs("plain", level="cosine")
    frame = gaps.groupby(level="model", sort=False).mean().map("{:+.1f}".format)
    tasks = list(dict.fromkeys(found.index.get_level_values("task")))
    return (
        "The same difference in collections of so many random clips, points, mean over "
        f"{listed(tasks)} and {about['draws']} draws:\n\n{frame_table(frame)}"
    )


def away_table(numbers: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Shares of hits by the weight of a sound to stay away from, in Markdown."""
    found = by_weight(numbers)
    rows = {
        f"{model}, {cosine}": [f"{value:.1f}" for value in found.loc[(model, cosine)]]
        for model in models_of(numbers)
        for cosine in reversed(COSINES)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[f"{weight:g}" for weight in found])
    frame.index.name = "model, cosine"
    return (
        f"Share of {about['hits']} hits that have the query's label, %, where the search stays away from the wrong "
        f"clip that is most like the query, by the weight of that clip; mean over the tasks:\n\n{frame_table(frame)}"
    )


def notes(about: Mapping[str, Any]) -> str:
    """What a reader must know about each model, as a list in Markdown."""
    return "\n".join(f"- {model}: {note}" for model, note in about["notes"].items())


def sentences(numbers: pd.DataFrame, about: Mapping[str, Any]) -> list[str]:
    """What the standardised cosine changes for each model, and what staying away from a wrong clip does."""
    texts = []
    for model in models_of(numbers):
        means = by_task(numbers).loc[model].mean(axis=1)
        texts.append(
            f"`{model}`: by the standardised cosine, {means['standardised']:.1f} % of the five nearest neighbours have "
            f"the query's label, by the plain cosine {means['plain']:.1f} %. The difference is {gain(numbers, model)} "
            "points."
        )
    found = by_weight(numbers)
    if EXCLUDED_WEIGHT in found:
        changes = found[EXCLUDED_WEIGHT] - found[0.0]
        each = [f"{changes[(model, 'standardised')]:+.1f} points with `{model}`" for model in models_of(numbers)]
        texts.append(f"Staying away from a wrong clip changes the share of right hits by {listed(each)}.")
    return [*texts, f"Numbers are of {about['parts']} parts; intervals are of 95 %."]


def draw_cosines(numbers: pd.DataFrame) -> Figure:
    """A panel for each model: a line for each task, from the plain to the standardised share."""
    models, found = models_of(numbers), by_task(numbers)
    figure = new_figure(3.0 * len(models), 1.2 + 0.32 * found.shape[1])
    for axis, model in zip(figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0], models):
        plain, standardised = (found.loc[(model, cosine)] for cosine in ("plain", "standardised"))
        axis.hlines(list(found), plain, standardised, color="grey")
        axis.plot(plain, list(found), "o", color="black", markerfacecolor="white", markersize=5)
        axis.plot(standardised, list(found), "o", color="black", markersize=5)
        axis.set_title(model)
        axis.set_xlabel("%")
        axis.grid(axis="x", alpha=0.3)
    figure.axes[0].invert_yaxis()
    return figure
