"""The report of the transfer study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_numbers
from benchmark.studies.transfer.conditions import TRANSFERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "transfer"
TITLE = "What carries over from one condition to another"
CAPTION = "Balanced accuracy, %, of a probe trained under the condition of the row and tested under that of the column."


def report(folder: Path) -> Report:
    """Make the report from ``transfer.csv``.

    Raises:
        FileNotFoundError: if it is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    return Report(TITLE, sentences(numbers), [table(numbers)], {NAME: (partial(draw_matrices, numbers), CAPTION)})


def _title(transfer: str) -> str:
    return TRANSFERS[transfer].title if transfer in TRANSFERS else transfer


def _averaged(numbers: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds of a model."""
    keys = ["model", "transfer", "trained", "tested"]
    means: pd.DataFrame = numbers.groupby(keys, sort=False)[["value", "low", "high", "chance"]].mean().reset_index()
    return means


def summary(numbers: pd.DataFrame) -> pd.DataFrame:
    """For each model and transfer the mean accuracy under the ``same`` condition and under ``another``, ``low``, the
    mean lower end of the former's intervals, and ``chance``, %.
    """
    means = _averaged(numbers)
    means["same"] = means["trained"] == means["tested"]
    grouped = means.groupby(["model", "transfer", "same"], sort=False)["value"].mean().unstack("same")
    table = grouped.rename(columns={True: "same", False: "another"})
    table["low"] = means[means["same"]].groupby(["model", "transfer"], sort=False)["low"].mean()
    table["chance"] = means.groupby(["model", "transfer"], sort=False)["chance"].mean()
    return table.reset_index()


def draw_matrices(numbers: pd.DataFrame) -> Figure:
    """A matrix for each transfer (rows) and model (columns); untested pairs stay white."""
    means = _averaged(numbers)
    transfers, models = list(dict.fromkeys(means["transfer"])), list(dict.fromkeys(means["model"]))
    sizes = {name: means[means["transfer"] == name]["trained"].nunique() for name in transfers}
    heights = [1.3 + 0.22 * sizes[name] for name in transfers]
    figure = new_figure(2.4 * len(models) + 2.2, sum(heights) + 0.6)
    grid = figure.subplots(len(transfers), len(models), squeeze=False, gridspec_kw={"height_ratios": heights})
    for number, (line, name) in enumerate(zip(grid, transfers)):
        chance = float(means[means["transfer"] == name]["chance"].iloc[0])
        for axis, model in zip(line, models):
            rows = means[(means["transfer"] == name) & (means["model"] == model)]
            order = list(dict.fromkeys(rows["trained"]))
            wide = rows.pivot(index="trained", columns="tested", values="value").loc[order, order]
            image = axis.imshow(wide.to_numpy(), vmin=chance, vmax=100, cmap="viridis", aspect="auto")
            if len(order) <= 6:
                for (row, column), value in np.ndenumerate(wide.to_numpy()):
                    if np.isfinite(value):
                        dark = value < (chance + 100) / 2
                        axis.text(
                            column,
                            row,
                            f"{value:.0f}",
                            ha="center",
                            va="center",
                            fontsize=6,
                            color="white" if dark else "black",
                        )
            axis.set_xticks(range(len(order)), order, rotation=60, ha="right", fontsize=5)
            shown = order if axis is line[0] else [""] * len(order)
            axis.set_yticks(range(len(order)), shown, fontsize=6)
            if number == 0:
                axis.set_title(model, fontsize=10)
        line[0].set_ylabel(_title(name), fontsize=8)
        bar = figure.colorbar(image, ax=line[-1])
        bar.ax.tick_params(labelsize=6)
    return figure


def table(numbers: pd.DataFrame) -> str:
    """Accuracies in Markdown, rows models, columns transfers."""
    cells = summary(numbers)
    cells["cell"] = [f"{same:.1f} → {another:.1f}" for same, another in zip(cells["same"], cells["another"])]
    wide = cells.pivot_table(index="model", columns="transfer", values="cell", aggfunc="first", sort=False)
    wide = wide[list(dict.fromkeys(cells["transfer"]))].rename(columns=_title).rename_axis(index="model")
    chances = cells.drop_duplicates("transfer").set_index("transfer")["chance"]
    wide.loc["chance"] = [f"{chances[name]:.1f}" for name in dict.fromkeys(cells["transfer"])]
    heading = "Balanced accuracy, %: tested under the training condition → mean over the other conditions:\n\n"
    return heading + frame_table(wide)


def sentences(numbers: pd.DataFrame) -> list[str]:
    """Three sentences on what was found.

    Args:
        numbers: what ``transfer.csv`` holds.
    """
    means = summary(numbers)
    model = numbers["model"].iloc[0]
    own = means[means["model"] == model].copy()
    shown = [
        f"{_title(name)} {same:.1f} → {another:.1f}"
        for name, same, another in zip(own["transfer"], own["same"], own["another"])
    ]
    found = [
        f"The balanced accuracy (%) of a probe on `{model}`, tested under its training condition → under the other "
        f"conditions, is: {'; '.join(shown)}."
    ]
    # The share of the accuracy above chance that is kept, where the whole interval is above chance.
    own = own[own["low"] > own["chance"]].dropna(subset=["another"])
    own["kept"] = 100 * (own["another"] - own["chance"]) / (own["same"] - own["chance"])
    if len(own) > 1:
        most, least = own.loc[own["kept"].idxmax()], own.loc[own["kept"].idxmin()]
        found.append(
            f"Of the accuracy above chance, the largest share is kept for {_title(most['transfer'])} "
            f"({most['kept']:.0f} %), the smallest for {_title(least['transfer'])} ({least['kept']:.0f} %), among the "
            f"{len(own)} whose whole interval under the training condition is above chance."
        )
    averages = means.groupby("model", sort=False)["another"].mean()
    found.append(
        f"Under other conditions, the mean over the {means['transfer'].nunique()} matrices is "
        f"{listed([f'{value:.1f} (`{name}`)' for name, value in averages.items()])}."
    )
    best = means.dropna(subset=["another"]).sort_values("another").groupby("transfer", sort=False).last()["model"]
    if means["model"].nunique() > 1:
        by_model = {
            name: [_title(transfer) for transfer in dict.fromkeys(means["transfer"]) if best.get(transfer) == name]
            for name in averages.index
        }
        found.append(
            "The highest accuracy under other conditions is that of "
            f"{'; '.join(f'`{name}` for {listed(titles)}' for name, titles in by_model.items() if titles)}."
        )
    return found
