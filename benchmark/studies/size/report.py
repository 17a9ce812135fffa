"""The report of the size study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.reporting.markdown import markdown
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, listed, read_numbers
from benchmark.studies.size.run import MEAN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, TITLE = "size", "Size against data"
CAPTION = "Accuracy of the probe on validation parts against hours of audio, a line for each width of the encoder."


def report(folder: Path) -> Report:
    """Make the report from ``size.csv``.

    Raises:
        FileNotFoundError: if it is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    return Report(TITLE, sentences(numbers), tables(numbers), {NAME: (partial(figure, numbers), CAPTION)})


def _means(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers[numbers["task"] == MEAN]


def figure(numbers: pd.DataFrame) -> Figure:
    """Mean accuracy against hours, a line with intervals for each width; dashed, untrained networks."""
    means = _means(numbers)
    drawn = new_figure(6.4, 4.2)
    axis = drawn.subplots()
    widths = sorted(means["width"].unique())
    for place, width in enumerate(widths):
        colour = ("#4c72b0", "#c44e52", "#55a868", "#8172b2", "#dd8452", "#64b5cd")[place % 6]
        line = means[(means["width"] == width) & (means["hours"] > 0)].sort_values("hours")
        reach = [line["accuracy"] - line["low"], line["high"] - line["accuracy"]]
        parameters = line["parameters"].iloc[0] / 1e6
        # Side by side, so that intervals do not hide each other.
        hours = line["hours"] * 1.03 ** (place - (len(widths) - 1) / 2)
        label = f"width {width}, {parameters:.1f} M parameters"
        axis.errorbar(hours, line["accuracy"], yerr=reach, fmt="o-", color=colour, capsize=2, label=label)
        for value in means[(means["width"] == width) & (means["hours"] == 0)]["accuracy"]:
            axis.axhline(value, color=colour, linestyle="--", linewidth=1)
    axis.set_xscale("log")
    hours = sorted(value for value in means["hours"].unique() if value > 0)
    axis.set_xticks(hours, [f"{value:g}" for value in hours])
    axis.minorticks_off()
    axis.set_xlabel("hours of audio, equally many steps (dashed: untrained)")
    axis.set_ylabel("mean accuracy, % (validation parts)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return drawn


def tables(numbers: pd.DataFrame) -> list[str]:
    """Mean accuracy by width and hours in Markdown, and how the networks were trained."""
    means = _means(numbers)
    hours = sorted(means["hours"].unique())
    header = ["width", "parameters", "embedding", *("untrained" if value == 0 else f"{value:g} h" for value in hours)]
    lines = []
    for width, row in means.groupby("width"):
        cells = [f"{width}", f"{row['parameters'].iloc[0] / 1e6:.2f} M", f"{row['features'].iloc[0]}"]
        for value in hours:
            cell = row[row["hours"] == value].iloc[0]
            cells.append(f"{cell['accuracy']:.1f} ± {(cell['high'] - cell['low']) / 2:.1f}")
        lines.append(cells)
    tasks = [str(name) for name in dict.fromkeys(numbers["task"]) if name != MEAN]
    trained = means[means["hours"] > 0]
    return [
        markdown(header, lines),
        f"Accuracy, %, of the linear probe on validation parts, mean over {listed(tasks)}, ± half the 95 % "
        f"bootstrap interval over the tested clips; one seed. Every network was trained on "
        f"{trained['crops'].iloc[0]:.0f} crops; "
        f"the {len(trained)} runs took {trained['minutes'].sum():.0f} minutes.\n",
    ]


def sentences(numbers: pd.DataFrame) -> list[str]:
    """Three sentences on what was found.

    Args:
        numbers: what ``size.csv`` holds.
    """
    means = _means(numbers)
    table = means.pivot(index="width", columns="hours", values="accuracy")
    trained = table.drop(columns=0.0, errors="ignore")
    narrow, wide, least, most = trained.index[0], trained.index[-1], trained.columns[0], trained.columns[-1]
    crops = means[means["hours"] > 0]["crops"].iloc[0]
    found = [
        f"With {crops:.0f} crops each, mean accuracy goes from {trained.loc[narrow].mean():.1f} % at width {narrow} to "
        f"{trained.loc[wide].mean():.1f} % at width {wide}, and from {trained[least].mean():.1f} % with {least:g} h to "
        f"{trained[most].mean():.1f} % with {most:g} h."
    ]
    width, hours = trained.stack().idxmax()
    found.append(f"The best is width {width} with {hours:g} h: {trained.loc[width, hours]:.1f} %.")
    if 0.0 in table.columns:
        gain = trained.mean(axis=1) - table[0.0]
        gains = listed([f"{value:+.1f} points at width {name}" for name, value in gain.items()])
        found.append(f"Compared with untrained networks, training changes the mean by {gains}.")
    return found
