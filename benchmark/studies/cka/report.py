"""The report of the CKA study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "cka"
TITLE = "What the networks share, by layer"

#: Headings of the kinds of stimuli.
KINDS = {"speech": "speech", "nonspeech": "other sounds", "together": "all sounds"}

CAPTIONS = {
    NAME: "Unbiased linear CKA of the same layer in two networks, with 95 % jackknife intervals over the clips.",
    "cka_layers": "CKA of every layer of one network with every layer of another, all clips.",
}


def report(folder: Path) -> Report:
    """Make the report from ``cka.csv`` and ``cka.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    draw = {NAME: draw_layers, "cka_layers": draw_across}
    figures = {name: (partial(draw[name], numbers), caption) for name, caption in CAPTIONS.items()}
    return Report(TITLE, sentences(numbers, read_about(folder, NAME)["stimuli"]), [table(numbers)], figures)


def _same(numbers: pd.DataFrame) -> pd.DataFrame:
    same = numbers[numbers["first_layer"] == numbers["second_layer"]].copy()
    same["pair"] = same["first"] + " – " + same["second"]
    return same


def draw_layers(numbers: pd.DataFrame) -> Figure:
    """CKA of the same layer of each pair of networks, a panel for each kind of stimuli."""
    same = _same(numbers)
    pairs, names = list(dict.fromkeys(same["pair"])), list(dict.fromkeys(same["first_layer"]))
    # Colours for pairs of trained networks, greys for the others.
    untrained = [pair for pair in pairs if "untrained" in pair]
    colour = colours([pair for pair in pairs if pair not in untrained])
    figure = new_figure(11.0, 4.0)
    panels = figure.subplots(1, len(KINDS), sharey=True)
    for axis, (kind, title) in zip(panels, KINDS.items()):
        for pair in pairs:
            # Networks of different kinds have few layers in common.
            rows = same[(same["stimuli"] == kind) & (same["pair"] == pair)].set_index("first_layer")
            rows = rows.reindex([name for name in names if name in rows.index])
            style: dict[str, Any] = {"color": colour[pair]} if pair in colour else {"color": "0.5"}
            style["linestyle"] = ["-", "--", ":", "-."][untrained.index(pair) % 4] if pair in untrained else "-"
            axis.plot(rows.index, rows["value"], marker="o", markersize=3, label=pair, **style)
            axis.fill_between(rows.index, rows["low"], rows["high"], color=style["color"], alpha=0.15, linewidth=0)
        axis.set_title(title)
        axis.grid(alpha=0.3)
        axis.tick_params(axis="x", rotation=40)
    panels[0].set_ylabel("CKA of the same layer")
    panels[0].set_ylim(min(0.0, float(same["value"].min())) - 0.02, 1.02)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return figure


def draw_across(numbers: pd.DataFrame) -> Figure:
    """CKA of all pairs of layers for each pair of networks, all clips."""
    together = numbers[numbers["stimuli"] == "together"]
    pairs = list(dict.fromkeys(zip(together["first"], together["second"])))
    n_columns = min(4, len(pairs))
    n_rows = -(-len(pairs) // n_columns)
    figure = new_figure(2.9 * n_columns + 0.8, 3.0 * n_rows)
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    image = None
    for axis, (first, second) in zip(grid.flat, pairs):
        rows = together[(together["first"] == first) & (together["second"] == second)]
        wide = rows.pivot_table(index="first_layer", columns="second_layer", values="value", sort=False)
        image = axis.imshow(wide.to_numpy(), vmin=0, vmax=1, cmap="magma", origin="lower")
        for (row, column), value in np.ndenumerate(wide.to_numpy()):
            axis.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color="w" if value < 0.6 else "k"
            )
        axis.set_xticks(range(len(wide.columns)), wide.columns, rotation=60, fontsize=7)
        axis.set_yticks(range(len(wide.index)), wide.index, fontsize=7)
        axis.set_xlabel(second, fontsize=9)
        axis.set_ylabel(first, fontsize=9)
    for axis in grid.flat[len(pairs) :]:
        axis.set_visible(False)
    if image is not None:
        figure.colorbar(image, ax=grid, label="CKA", shrink=0.7)
    return figure


def table(numbers: pd.DataFrame) -> str:
    """CKA of the same layer in Markdown: a row a pair of networks, a column a layer."""
    same = _same(numbers)
    wide = same[same["stimuli"] == "together"].pivot_table(
        index="pair", columns="first_layer", values="value", sort=False
    )
    heading = "CKA of the same layer, all clips:\n\n"
    return heading + frame_table(
        wide.rename_axis(index="networks").map(lambda value: "–" if pd.isna(value) else f"{value:.2f}")
    )


def sentences(numbers: pd.DataFrame, n_clips: int) -> list[str]:
    """Three sentences on what was found.

    Args:
        numbers: what ``cka.csv`` holds.
        n_clips: number of clips.
    """
    same = _same(numbers)
    together = same[same["stimuli"] == "together"]
    names = list(dict.fromkeys(together["first_layer"]))
    last = names[-1]

    def first_of(pair: str) -> str:
        return str(together[together["pair"] == pair]["first_layer"].iloc[0])

    def value(pair: str, layer: str, kind: str = "together") -> float:
        rows = same[(same["pair"] == pair) & (same["first_layer"] == layer) & (same["stimuli"] == kind)]
        return float(rows["value"].iloc[0])

    pairs = list(dict.fromkeys(together["pair"]))
    trained = [pair for pair in pairs if "untrained" not in pair] or pairs
    reference = [pair for pair in pairs if pair not in trained]
    shown = [
        f"{value(pair, first_of(pair)):.2f} ({first_of(pair)}) to {value(pair, last):.2f} ({pair})" for pair in trained
    ]
    by_kind = [
        f"{value(pair, last, 'speech'):.2f} and {value(pair, last, 'nonspeech'):.2f} ({pair})" for pair in trained
    ]
    found = [
        f"Over {n_clips} clips, the unbiased linear CKA of the same layer in two networks changes from the first "
        f"common layer to the {last} embedding from {listed(shown)}.",
        f"The CKA of the {last} embeddings over speech and over other sounds is {listed(by_kind)}.",
    ]
    if reference:
        shown = [f"{value(pair, last):.2f} ({pair})" for pair in reference]
        found.append(f"With untrained networks, the CKA of the {last} embeddings is {listed(shown)}.")
    return found
