"""Figures: the matrices, and the similarities of models and references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmark.studies.figures import colours, new_figure
from benchmark.studies.rsa.dissimilarity import DISTANCES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Headings of the stimuli.
STIMULI_TITLES = {"speech": "speech", "nonspeech": "other sounds", "together": "all sounds", "stimuli": "stimuli"}


def draw_matrices(matrices: Mapping[str, np.ndarray], sets: np.ndarray) -> Figure:
    """Draw matrices, dissimilarities as percentiles of their matrix.

    Args:
        matrices: ``(n, n)`` by title.
        sets: ``(n,)`` the set of each stimulus; lines separate sets.

    Returns:
        The figure.
    """
    n_columns = min(4, len(matrices))
    n_rows = -(-len(matrices) // n_columns)
    figure = new_figure(3.0 * n_columns + 0.8, 3.1 * n_rows)
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    borders = np.flatnonzero(sets[1:] != sets[:-1]) + 0.5
    starts, ends = [-0.5, *borders], [*borders, len(sets) - 0.5]
    image = None
    for axis, (title, matrix) in zip(grid.flat, matrices.items()):
        first, second = np.triu_indices(len(matrix), 1)
        values = matrix[first, second]
        shown = np.full(matrix.shape, np.nan)
        known = np.isfinite(values)
        percent = np.full(values.shape, np.nan)
        percent[known] = 100 * (rankdata(values[known]) - 1) / max(known.sum() - 1, 1)
        shown[first, second] = shown[second, first] = percent
        image = axis.imshow(shown, cmap="viridis", vmin=0, vmax=100, interpolation="nearest")
        axis.set_title(title, fontsize=10)
        for border in borders:
            axis.axhline(border, color="white", linewidth=0.6)
            axis.axvline(border, color="white", linewidth=0.6)
        axis.set_xticks([])
        axis.set_yticks([])
        if axis in grid[:, 0]:
            axis.set_yticks([(low + high) / 2 for low, high in zip(starts, ends)])
            axis.set_yticklabels([sets[int(low + 1)].replace("_", " ") for low in starts], fontsize=7)
            axis.tick_params(length=0)
    for axis in grid.flat[len(matrices) :]:
        axis.set_visible(False)
    if image is not None:
        figure.colorbar(image, ax=grid, label="dissimilarity, percentile", shrink=0.7)
    return figure


def draw_bars(numbers: pd.DataFrame, measure: str, distance: str) -> Figure:
    """Draw bars with 95 % intervals: groups of references, a bar for each model, a panel for each kind of stimuli.

    Args:
        numbers: the study's, see :mod:`benchmark.studies.rsa.command`.
        measure: the measure to draw.
        distance: distance of the models' matrices.

    Returns:
        The figure.
    """
    chosen = numbers[(numbers["measure"] == measure) & (numbers["distance"] == distance)]
    models, references = list(dict.fromkeys(chosen["model"])), list(dict.fromkeys(chosen["reference"]))
    kinds = list(dict.fromkeys(chosen["stimuli"]))
    colour = colours(models)
    figure = new_figure(max(7.0, 0.8 * len(references) + 1.5), 2.6 * len(kinds) + 0.7)
    panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
    width = 0.8 / len(models)
    for axis, kind in zip(panels, kinds):
        for number, model in enumerate(models):
            rows = chosen[(chosen["stimuli"] == kind) & (chosen["model"] == model)].set_index("reference")
            rows = rows.reindex(references)
            places = np.arange(len(references)) + (number - (len(models) - 1) / 2) * width
            axis.bar(places, rows["value"], width, color=colour[model], label=model)
            axis.vlines(places, rows["low"], rows["high"], color="black", linewidth=0.7)
        axis.axhline(0, color="black", linewidth=0.6)
        axis.set_ylabel(STIMULI_TITLES.get(kind, kind))
        axis.grid(axis="y", alpha=0.3)
        axis.set_axisbelow(True)
    panels[-1].set_xticks(range(len(references)))
    panels[-1].set_xticklabels(references, rotation=40, ha="right")
    panels[0].legend(ncols=min(len(models), 6), fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    figure.supylabel("Spearman's correlation" + (", given the others" if measure == "partial" else ""), fontsize=10)
    return figure


def draw_listeners(numbers: pd.DataFrame) -> Figure:
    """Draw correlations of models and descriptors with the listeners' ratings, and the noise ceiling if any."""
    chosen = numbers[(numbers["reference"] == "listeners") & (numbers["measure"] == "spearman")]
    bars = chosen[chosen["distance"].isin((DISTANCES[0], "descriptor"))]
    figure = new_figure(max(6.0, 0.5 * len(bars) + 1.5), 4.0)
    axis = figure.subplots()
    colour = colours(list(bars["model"]))
    places = np.arange(len(bars))
    filled = [colour[m] if d != "descriptor" else "#d9d9d9" for m, d in zip(bars["model"], bars["distance"])]
    axis.bar(places, bars["value"], color=filled)
    axis.vlines(places, bars["low"], bars["high"], color="black", linewidth=0.8)
    ceiling = chosen[chosen["distance"] == "ceiling"]
    for low, high in zip(ceiling["low"], ceiling["high"]):
        axis.axhspan(low, high, color="0.8", zorder=0)
    axis.set_xticks(places)
    axis.set_xticklabels(bars["model"], rotation=40, ha="right")
    axis.set_ylabel("Spearman's correlation with listeners")
    axis.axhline(0, color="black", linewidth=0.6)
    return figure
