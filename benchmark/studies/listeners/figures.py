"""Figures of the study with listeners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.studies.figures import COLOURS, colours, new_figure
from benchmark.studies.listeners.measure import CLIP, DESCRIPTORS_ROW, LEARNT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: Headings of the sets.
SET_TITLES = {
    "timbre_similarity": "21 timbre spaces",
    "timbre_groups_sol": "78 playing techniques",
    "singing_techniques": "12 sets of sung notes",
}
#: The colours of models other than networks, and of listeners.
OTHER, CEILING = "#444444", "#2a7f3f"
#: Lines of the listeners' agreement: style and label.
CEILINGS: dict[str, tuple[Any, str]] = {
    "split half, corrected": ("-", "listeners, split half corrected"),
    "one against the rest": ("--", "one listener with the rest"),
}


def values_of(numbers: pd.DataFrame, name: str, measure: str, representation: str = CLIP) -> pd.DataFrame:
    """The values of a set, a measure and a representation, by model; no differences."""
    chosen = numbers[(numbers["set"] == name) & (numbers["measure"] == measure) & numbers["reference"].isna()]
    return chosen[chosen["representation"] == representation].set_index("model")


def draw_models(numbers: pd.DataFrame, published: Mapping[str, float], order: Sequence[str]) -> Figure:
    """Draw each model's correlation by anchor with intervals, the learnt metric's, and that given the descriptors.

    Args:
        numbers: the study's.
        published: correlations of other representations over the timbre spaces, by name.
        order: the models, from the top.

    Returns:
        The figure, a panel for each set; the listeners' agreement with each other is a line.
    """
    figure = new_figure(11.5, 0.27 * (len(order) + len(published)) + 1.7)
    panels = figure.subplots(1, len(SET_TITLES), sharey=True)
    names = [*order, *published]
    for axis, (name, title) in zip(panels, SET_TITLES.items()):
        clip, learnt, partial = (
            values_of(numbers, name, measure, representation).reindex(order)
            for measure, representation in (("anchor", CLIP), ("anchor", LEARNT), ("partial", CLIP))
        )
        places = np.arange(len(order))
        chosen = [COLOURS.get(model, OTHER) for model in order]
        axis.hlines(places, clip["low"], clip["high"], color=chosen, linewidth=1.6)
        axis.scatter(clip["value"], places, color=chosen, s=28, zorder=3)
        axis.scatter(learnt["value"], places, marker="D", facecolors="none", edgecolors=chosen, s=20)
        # Nothing of the descriptors is left when they are held constant.
        partial = partial.drop(DESCRIPTORS_ROW, errors="ignore").reindex(order)
        axis.scatter(partial["value"], places, marker="|", color=chosen, s=45)
        if name == "timbre_similarity" and published:
            below = len(order) + np.arange(len(published))
            axis.scatter(list(published.values()), below, facecolors="none", edgecolors="#888888", s=28)
        _draw_ceiling(axis, values_of(numbers, name, "anchor", "listeners"))
        axis.set_title(title, fontsize=10)
        axis.axhline(len(order) - 0.5, color="0.7", linewidth=0.7)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set_xlim(right=1.0)
        axis.grid(axis="x", alpha=0.3)
        axis.set_axisbelow(True)
    panels[0].set_yticks(range(len(names)))
    panels[0].set_yticklabels([*order, *(f"{each} (published)" for each in published)], fontsize=8)
    panels[0].invert_yaxis()
    handles = _legend(numbers)
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=8, frameon=False)
    figure.supxlabel("Spearman's correlation with listeners, by anchor; given descriptors: over pairs", fontsize=9)
    return figure


def _legend(numbers: pd.DataFrame) -> list[Line2D]:
    """One handle for each kind of mark."""
    from matplotlib.lines import Line2D

    marks: dict[str, dict[str, Any]] = {
        "clip embedding, cosine": {"marker": "o"},
        "learnt metric": {"marker": "D", "markerfacecolor": "none", "markersize": 5},
        "given four descriptors": {"marker": "|", "markersize": 8},
    }
    handles = [Line2D([], [], color=OTHER, linestyle="none", label=label, **style) for label, style in marks.items()]
    for model, (style, label) in CEILINGS.items():
        if (numbers["model"] == model).any():
            handles.append(Line2D([], [], color=CEILING, linestyle=style, label=label))
    return handles


def _draw_ceiling(axis: Axes, ceiling: pd.DataFrame) -> None:
    for model, (style, _) in CEILINGS.items():
        if model in ceiling.index:
            axis.axvline(float(ceiling.loc[model, "value"]), color=CEILING, linestyle=style, linewidth=1.2)


def draw_layers(numbers: pd.DataFrame, layers: Sequence[str]) -> Figure:
    """Draw the correlation by anchor at each layer of networks that have these layers, with intervals over sounds."""
    models = list(dict.fromkeys(numbers.loc[numbers["representation"].isin(layers[:-1]), "model"]))
    figure = new_figure(12.0, 3.4)
    panels = figure.subplots(1, len(SET_TITLES), sharey=True)
    for axis, (name, title) in zip(panels, SET_TITLES.items()):
        for shift, (model, colour) in enumerate(colours(models).items()):
            rows = [values_of(numbers, name, "anchor", layer).reindex([model]) for layer in layers]
            joined = pd.concat(rows)
            if joined["value"].isna().all():
                continue
            places = np.arange(len(layers)) + 0.08 * (shift - (len(models) - 1) / 2)
            axis.plot(places, joined["value"], color=colour, marker="o", markersize=4, label=model)
            axis.vlines(places, joined["low"], joined["high"], color=colour, linewidth=0.8)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(len(layers)))
        axis.set_xticklabels(layers, rotation=40, ha="right", fontsize=8)
        axis.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("Spearman's correlation, by anchor")
    panels[-1].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
