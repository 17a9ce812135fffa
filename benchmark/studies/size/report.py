"""The report of the size study, made from its numbers."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.probes.probe import INDEPENDENT
from benchmark.reporting.markdown import markdown
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, listed, read_numbers
from benchmark.studies.size.run import MEAN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Networks that were trained for the same number of steps, and with the same compute.
NAME, COMPUTE = "size", "size_compute"
TITLES = {NAME: "Size against data", COMPUTE: "Sizes and architectures with the same compute"}
CAPTION = "Accuracy of the probe on validation parts against hours of audio, a line for each size of the encoder."


def report(folder: Path, name: str = NAME) -> Report:
    """Make the report from ``size.csv`` or ``size_compute.csv``.

    Raises:
        FileNotFoundError: if it is not in ``folder``.
    """
    numbers = sized(read_numbers(folder, name))
    return Report(TITLES[name], sentences(numbers), tables(numbers), {name: (partial(figure, numbers), CAPTION)})


def sized(numbers: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``size``, such as ``width 512`` or ``transformer 192 × 6``, in ascending order.

    Example:
        >>> list(sized(pd.DataFrame({"width": [512, 192], "layers": [0, 6]}))["size"])
        ['width 512', 'transformer 192 × 6']
    """
    # Results older than the transformers lack their layers.
    layers = numbers["layers"] if "layers" in numbers else pd.Series(0, index=numbers.index)
    order = sorted({(0 if each == 0 else 1, width, each) for width, each in zip(numbers["width"], layers)})
    names = [_name(width, each) for _, width, each in order]
    found = [_name(width, each) for width, each in zip(numbers["width"], layers)]
    return numbers.assign(size=pd.Categorical(found, names, ordered=True))


def _name(width: int, layers: int) -> str:
    return f"transformer {width} × {layers}" if layers else f"width {width}"


def _means(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers[numbers["task"] == MEAN]


def figure(numbers: pd.DataFrame) -> Figure:
    """Mean accuracy against hours, a line with intervals for each size; dashed, untrained networks."""
    means = _means(numbers)
    drawn = new_figure(6.4, 4.2)
    axis = drawn.subplots()
    sizes = list(means["size"].cat.categories)
    for place, size in enumerate(sizes):
        colour = ("#4c72b0", "#c44e52", "#55a868", "#8172b2", "#dd8452", "#64b5cd")[place % 6]
        line = means[(means["size"] == size) & (means["hours"] > 0)].sort_values("hours")
        reach = [line["accuracy"] - line["low"], line["high"] - line["accuracy"]]
        parameters = line["parameters"].iloc[0] / 1e6
        # Side by side, so that intervals do not hide each other.
        hours = line["hours"] * 1.03 ** (place - (len(sizes) - 1) / 2)
        label = f"{size}, {parameters:.1f} M parameters"
        axis.errorbar(hours, line["accuracy"], yerr=reach, fmt="o-", color=colour, capsize=2, label=label)
        for value in means[(means["size"] == size) & (means["hours"] == 0)]["accuracy"]:
            axis.axhline(value, color=colour, linestyle="--", linewidth=1)
    axis.set_xscale("log")
    hours = sorted(value for value in means["hours"].unique() if value > 0)
    axis.set_xticks(hours, [f"{value:g}" for value in hours])
    axis.minorticks_off()
    axis.set_xlabel(f"hours of audio, {_equal(means)} (dashed: untrained)")
    axis.set_ylabel("mean accuracy, % (validation parts)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, framealpha=0.5)
    return drawn


def tables(numbers: pd.DataFrame) -> list[str]:
    """Mean accuracy by size and hours in Markdown, and how the networks were trained."""
    means = _means(numbers)
    hours = sorted(means["hours"].unique())
    header = ["size", "parameters", "embedding", *("untrained" if value == 0 else f"{value:g} h" for value in hours)]
    lines = []
    for size, row in means.groupby("size", observed=True):
        cells = [
            str(size),
            f"{row['parameters'].iloc[0] / 1e6:.2f} M",
            f"{row['features'].iloc[0]}",
        ]
        for value in hours:
            cell = row[row["hours"] == value].iloc[0]
            cells.append(f"{cell['accuracy']:.1f} ± {(cell['high'] - cell['low']) / 2:.1f}")
        lines.append(cells)
    tasks = [str(name) for name in dict.fromkeys(numbers["task"]) if name != MEAN]
    trained = means[means["hours"] > 0]
    return [
        markdown(header, lines),
        f"Accuracy, %, of the linear probe on validation parts, mean over {listed(tasks)}, ± half the 95 % "
        f"bootstrap interval over the tested clips; one seed. {INDEPENDENT} Every network was trained on "
        f"{_span(trained['crops'])} crops; "
        f"the {len(trained)} runs took {trained['minutes'].sum():.0f} minutes, {_span(trained['minutes'])} each.\n",
    ]


def _span(values: pd.Series) -> str:
    """Whole numbers: the one that all are, or the least and the most."""
    least, most = f"{values.min():.0f}", f"{values.max():.0f}"
    return least if least == most else f"{least} to {most}"


def _equal(means: pd.DataFrame) -> str:
    """What the networks have in common."""
    return "equally many steps" if means[means["hours"] > 0]["crops"].nunique() == 1 else "equal compute"


def sentences(numbers: pd.DataFrame) -> list[str]:
    """Three sentences on what was found.

    Args:
        numbers: what ``size.csv`` holds, from :func:`sized`.
    """
    means = _means(numbers)
    table = means.pivot(index="size", columns="hours", values="accuracy")
    trained = table.drop(columns=0.0, errors="ignore")
    least, most = trained.columns[0], trained.columns[-1]
    kinds = [[size for size in trained.index if size.startswith("transformer") == kind] for kind in (False, True)]
    mean = trained.mean(axis=1)
    changes = [
        f"from {mean[sizes[0]]:.1f} % at {sizes[0]} to {mean[sizes[-1]]:.1f} % at {sizes[-1]}"
        for sizes in kinds
        if len(sizes) > 1
    ]
    if least != most:
        changes.append(
            f"from {trained[least].mean():.1f} % with {least:g} h to {trained[most].mean():.1f} % with {most:g} h"
        )
    found = []
    if changes:
        crops = _span(means.loc[means["hours"] > 0, "crops"])
        found.append(f"With {crops} crops and one seed each, mean accuracy goes {', and '.join(changes)}.")
    if all(map(len, kinds)):
        best = [trained.loc[sizes, most].idxmax() for sizes in kinds]
        gap = trained.loc[best[1], most] - trained.loc[best[0], most]
        found.append(
            f"With {most:g} h, {best[1]}, the highest of the transformers, is {abs(gap):.1f} points "
            f"{'above' if gap > 0 else 'below'} {best[0]}, the highest of the convolutional networks."
        )
    half = means.assign(half=(means["high"] - means["low"]) / 2).pivot(index="size", columns="hours", values="half")
    size, hours = own = trained.stack().idxmax()
    top, reach = trained.loc[own], half.loc[own]
    # The clips are the same, but the intervals are taken as independent: too wide rather than too narrow.
    level = [
        f"{one} with {each:g} h ({value:.1f} %)"
        for (one, each), value in trained.stack().items()
        if (one, each) != own and top - value <= math.hypot(reach, half.loc[one, each])
    ]
    text = f"The highest is {size} with {hours:g} h: {top:.1f} ± {reach:.1f} %"
    found.append(f"{text}, with no clear difference from {listed(level)}." if level else f"{text}.")
    if 0.0 in table.columns:
        gain = mean - table[0.0]
        gains = listed([f"{value:+.1f} points at {name}" for name, value in gain.items()])
        found.append(f"Compared with untrained networks, training changes the mean by {gains}.")
    return found
