"""The report of the CKA study, made from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement
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

#: The layer that all networks have.
CLIP = "clip"


@dataclass(frozen=True)
class Family:
    """Networks with the same layers.

    Attributes:
        layers: the layers in order.
        networks: the networks' names in order.
    """

    layers: tuple[str, ...]
    networks: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of its networks; one with itself stands for several seeds."""
        return list(combinations_with_replacement(self.networks, 2))


def report(folder: Path) -> Report:
    """Make the report from ``cka.csv`` and ``cka.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    families = families_of(about["layers"])
    draw = {NAME: draw_layers, "cka_layers": draw_across}
    figures = {name: (partial(draw[name], numbers, families), caption) for name, caption in CAPTIONS.items()}
    tables = [table(numbers, family) for family in families]
    if len(families) > 1:
        tables.append(embeddings_table(numbers, list(about["layers"])))
    return Report(TITLE, sentences(numbers, families, about["stimuli"]), [each for each in tables if each], figures)


def families_of(layers: Mapping[str, Sequence[str]]) -> list[Family]:
    """Put networks with the same layers together.

    Args:
        layers: each network's layers by its name.

    Example:
        >>> [family.networks for family in families_of({"a": ["fc", "clip"], "b": ["clip"], "c": ["fc", "clip"]})]
        [('a', 'c'), ('b',)]
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for network, names in layers.items():
        found.setdefault(tuple(names), []).append(network)
    return [Family(names, tuple(networks)) for names, networks in found.items()]


def _untrained(pair: tuple[str, str]) -> bool:
    return any("untrained" in name for name in pair)


def _wide(numbers: pd.DataFrame, stimuli: str, column: str = "value") -> pd.DataFrame:
    """A number of the same layer in two networks: rows by pair, a column for each layer."""
    same = numbers[(numbers["first_layer"] == numbers["second_layer"]) & (numbers["stimuli"] == stimuli)]
    return same.pivot(index=["first", "second"], columns="first_layer", values=column)


def draw_layers(numbers: pd.DataFrame, families: Sequence[Family]) -> Figure:
    """CKA of the same layer of each pair of networks: a row of panels for a family, a panel for each kind of clips."""
    shown = [family for family in families if any(pair in _wide(numbers, "together").index for pair in family.pairs)]
    figure = new_figure(11.0, 1.0 + 3.2 * max(1, len(shown)))
    grid = figure.subplots(max(1, len(shown)), len(KINDS), sharey=True, squeeze=False)
    for panels, family in zip(grid, shown):
        for axis, (kind, title) in zip(panels, KINDS.items()):
            values, low, high = (_wide(numbers, kind, column) for column in ("value", "low", "high"))
            pairs, names = [pair for pair in family.pairs if pair in values.index], list(family.layers)
            # Colours for pairs of trained networks, greys for the others.
            untrained = [pair for pair in pairs if _untrained(pair)]
            colour = colours([" – ".join(pair) for pair in pairs if pair not in untrained])
            for pair in pairs:
                label = " – ".join(pair)
                style: dict[str, Any] = {"color": colour.get(label, "0.5")}
                style["linestyle"] = ["-", "--", ":", "-."][untrained.index(pair) % 4] if pair in untrained else "-"
                axis.plot(names, values.loc[pair, names], marker="o", markersize=3, label=label, **style)
                ends = [frame.loc[pair, names].to_numpy(float) for frame in (low, high)]
                axis.fill_between(names, *ends, color=style["color"], alpha=0.15, linewidth=0)
            axis.set_title(title)
            axis.grid(alpha=0.3)
            axis.tick_params(axis="x", rotation=40)
        panels[0].set_ylabel("CKA of the same layer")
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=7)
    grid[0][0].set_ylim(min(0.0, float(numbers["value"].min())) - 0.02, 1.02)
    return figure


def drawn_pairs(numbers: pd.DataFrame, families: Sequence[Family]) -> list[tuple[str, str]]:
    """The pairs whose layers are drawn each with each: of one family, and the first networks of two families."""
    measured = dict.fromkeys(zip(numbers["first"], numbers["second"]))
    firsts = [family.networks[0] for family in families]
    wanted = {pair for family in families for pair in family.pairs} | {(a, b) for a in firsts for b in firsts}
    return [pair for pair in measured if pair in wanted]


def draw_across(numbers: pd.DataFrame, families: Sequence[Family]) -> Figure:
    """CKA of all pairs of layers of pairs of networks, all clips."""
    together = numbers[numbers["stimuli"] == "together"]
    pairs = drawn_pairs(together, families)
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


def table(numbers: pd.DataFrame, family: Family) -> str:
    """CKA of the same layer in Markdown, a row a pair of networks, a column a layer; empty if there is no pair."""
    wide = _wide(numbers, "together")
    pairs = [pair for pair in family.pairs if pair in wide.index]
    if not pairs:
        return ""
    chosen = wide.loc[pairs, list(family.layers)]
    chosen.index = pd.Index([" – ".join(pair) for pair in pairs], name="networks")
    return "CKA of the same layer, all clips:\n\n" + frame_table(chosen.map(lambda value: f"{value:.2f}"))


def embeddings_table(numbers: pd.DataFrame, networks: Sequence[str]) -> str:
    """CKA of the clip embeddings of all networks in Markdown, a row and a column for each."""
    values = _wide(numbers, "together")[CLIP]
    frame = pd.DataFrame("", index=pd.Index(networks, name="CKA, clip embeddings"), columns=list(networks))
    for (first, second), value in values.items():
        frame.loc[first, second] = frame.loc[second, first] = f"{value:.2f}"
    return "CKA of the clip embeddings of all networks, all clips:\n\n" + frame_table(frame)


def sentences(numbers: pd.DataFrame, families: Sequence[Family], n_clips: int) -> list[str]:
    """Some sentences on what was found.

    Args:
        numbers: what ``cka.csv`` holds.
        families: the networks with the same layers.
        n_clips: number of clips.
    """
    wide = {kind: _wide(numbers, kind) for kind in KINDS}
    together = wide["together"]
    found: list[str] = []
    for family in families:
        pairs = [pair for pair in family.pairs if pair in together.index]
        trained = [pair for pair in pairs if not _untrained(pair)] or pairs
        if not pairs:
            continue
        first = family.layers[0]
        shown = [
            f"{together.loc[pair, first]:.2f} ({first}) to {together.loc[pair, CLIP]:.2f} ({' – '.join(pair)})"
            for pair in trained
        ]
        by_kind = [
            f"{wide['speech'].loc[pair, CLIP]:.2f} and {wide['nonspeech'].loc[pair, CLIP]:.2f} ({' – '.join(pair)})"
            for pair in trained
        ]
        start = (
            f"For networks with the layers of `{family.networks[0]}`, the CKA of the same layer changes from "
            if found
            else f"Over {n_clips} clips, the unbiased linear CKA of the same layer in two networks changes from the "
            f"first layer to the {CLIP} embedding from "
        )
        found += [
            f"{start}{listed(shown)}.",
            f"Over speech and over other sounds, the CKA of the {CLIP} embeddings is {listed(by_kind)}.",
        ]
        if reference := [pair for pair in pairs if pair not in trained]:
            shown = [f"{together.loc[pair, CLIP]:.2f} ({' – '.join(pair)})" for pair in reference]
            found.append(f"With untrained networks, the CKA of the {CLIP} embeddings is {listed(shown)}.")
    if text := _between(together[CLIP], families):
        found.append(text)
    return found


def _between(values: pd.Series, families: Sequence[Family]) -> str:
    """A sentence on the clip embeddings of networks with different layers; empty if all have the same layers."""
    family = {name: place for place, each in enumerate(families) for name in each.networks}
    apart = [(*pair, value) for pair, value in values.items() if family[pair[0]] != family[pair[1]]]
    texts = []
    for title, wanted in (("two trained networks", 0), ("a trained and an untrained one", 1), ("untrained ones", 2)):
        chosen = [
            (value, first, second)
            for first, second, value in apart
            if sum("untrained" in name for name in (first, second)) == wanted
        ]
        if not chosen:
            continue
        ends = [f"{value:.2f} ({first} – {second})" for value, first, second in (min(chosen), max(chosen))]
        texts.append(f"{' to '.join(dict.fromkeys(ends))} for {title}")
    return (
        f"Between networks with different layers, the CKA of the {CLIP} embeddings is {listed(texts)}." if texts else ""
    )
