"""``python -m benchmark cka``: how much of what one network computes is in another, layer by layer."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.extractors import Extractor
from benchmark.reporting.command_line import command_line
from benchmark.studies.cka import layers
from benchmark.studies.cka import pairs as pairs_module
from benchmark.studies.cka.alignment import gram
from benchmark.studies.cka.layers import activations, layer_names, network_of
from benchmark.studies.cka.pairs import layers_compared
from benchmark.studies.findings import frame_table, listed, read_about, read_numbers, save_findings, save_study
from benchmark.studies.stimuli import Stimuli, drawn, sets_plan
from benchmark.studies.study import colours, new_figure, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered
from byola_hear.utils.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "cka"
TITLE = "What the networks share, by layer"
KINDS = {"speech": "speech", "nonspeech": "other sounds", "together": "all sounds"}


@click.command(NAME)
@study_options("both,speech,nonspeech,untrained", baselines=False)
@click.option(
    "--per-side", type=click.IntRange(30), default=300, show_default=True, help="Clips of speech, and of other sounds."
)
def cka_command(per_side: int, **options: Any) -> None:
    """Linear centred kernel alignment (unbiased) of networks' layers on the same clips.

    Writes cka.csv, cka.json, cka.md, cka_findings.md and figures. Every pair of networks is compared, and networks
    with different seeds of the untrained one; layers are means over a clip's time.

    Exit codes: 0, or 2 where something that was asked for can't be had.
    """
    setup = Setup.of(**options)
    planned = sets_plan(setup)
    stimuli = drawn(planned, per_side, setup.seed)
    rows = setup.rows(planned.training_clips)
    networks = {row.name: row.extractors for row in rows}
    shapes = {tuple(layer_names(network_of(each))) for several in networks.values() for each in several}
    if len(shapes) != 1:
        raise ValueError("expected networks of one shape, got some with other layers than others")
    if sum(len(several) for several in networks.values()) < 2:
        raise ValueError("expected at least two networks to compare, got one")
    grams = {
        name: [layer_grams(each, stimuli, setup, f"{name}: layers") for each in several]
        for name, several in networks.items()
    }
    numbers = alignments(networks, grams, stimuli, setup)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "per_side": per_side,
        "stimuli": len(stimuli),
        "layers": list(next(iter(shapes))),
        "extractors": {name: [each.identity for each in several] for name, several in networks.items()},
        "audio": {labelled.name: labelled.sha256 for labelled, _ in stimuli.parts},
    }
    figures = {NAME: draw_layers(numbers), "cka_layers": draw_across(numbers)}
    save_study(setup.output, NAME, numbers, figures, about)
    captions = {
        NAME: "Unbiased linear CKA of the same layer in two networks, 95 % jackknife intervals over the clips.",
        "cka_layers": "Every layer of one network against every layer of another, all clips.",
    }
    save_findings(setup.output, NAME, TITLE, sentences(setup.output), [_table(numbers)], captions)
    click.echo(_table(numbers))


def layer_grams(extractor: Extractor, stimuli: Stimuli, setup: Setup, description: str) -> dict[str, np.ndarray]:
    """Gram matrices ``(n, n)`` by layer, out of the cache where they are there."""
    key = key_of(extractor.identity, stimuli.identity, versions=[layers.MEASUREMENT_VERSION])
    path = setup.cache / "studies" / f"layers-{key}.npz"
    if not path.is_file():
        model = network_of(extractor)
        rows = stimuli.each(
            description,
            setup.progress,
            lambda clip, _rate: activations(model, [clip]),
            extractor.sample_rate,
        )
        names = layer_names(model)
        found = {name: gram(np.concatenate([row[name] for row in rows])).astype(np.float32) for name in names}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            np.savez(stream, allow_pickle=False, **found)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float64) for name in layer_names(network_of(extractor))}


def alignments(
    networks: dict[str, list[Extractor]],
    grams: dict[str, list[dict[str, np.ndarray]]],
    stimuli: Stimuli,
    setup: Setup,
) -> pd.DataFrame:
    """Columns ``stimuli``, ``first``, ``second``, ``first_layer``, ``second_layer``, ``value``, ``low``, ``high``.

    A row with several seeds is averaged over them; with itself it is compared by different seeds. Intervals are of
    same layers only, and averaged like the values.
    """
    kinds = {side: np.flatnonzero(stimuli.sides == side) for side in ("speech", "nonspeech")}
    kinds["together"] = np.arange(len(stimuli))
    pairs = [
        (first, second)
        for first, second in combinations_with_replacement(grams, 2)
        if first != second or len(grams[first]) > 1
    ]
    found: list[dict[str, Any]] = []
    with tqdm(total=len(kinds) * len(pairs), desc="compare", disable=not setup.progress, leave=False) as bar:
        for (kind, chosen), (first, second) in product(kinds.items(), pairs):
            seeds = (
                list(product(range(len(grams[first])), range(len(grams[second]))))
                if first != second
                else list(combinations(range(len(grams[first])), 2))
            )

            def compute(
                first: str = first,
                second: str = second,
                chosen: np.ndarray = chosen,
                seeds: list[tuple[int, int]] = seeds,
            ) -> list[dict[str, Any]]:
                return layers_compared(grams[first], grams[second], seeds, np.ix_(chosen, chosen), setup.seed)

            identities = [[each.identity for each in networks[name]] for name in (first, second)]
            key = key_of(
                identities,
                stimuli.identity,
                kind,
                setup.seed,
                versions=[pairs_module.MEASUREMENT_VERSION, layers.MEASUREMENT_VERSION],
            )
            for row in remembered(setup.cache, NAME, key, compute):
                found.append({"stimuli": kind, "first": first, "second": second, **row})
            bar.update()
    return pd.DataFrame(found)


def _same(numbers: pd.DataFrame) -> pd.DataFrame:
    same = numbers[numbers["first_layer"] == numbers["second_layer"]].copy()
    same["pair"] = same["first"] + " – " + same["second"]
    return same


def draw_layers(numbers: pd.DataFrame) -> Figure:
    """Same layers of each pair of networks, a panel for each kind of stimuli."""
    same = _same(numbers)
    pairs, names = list(dict.fromkeys(same["pair"])), list(dict.fromkeys(same["first_layer"]))
    # Pairs of trained networks are what it is about: colours for them, greys for what they are compared with.
    untrained = [pair for pair in pairs if "untrained" in pair]
    colour = colours([pair for pair in pairs if pair not in untrained])
    figure = new_figure(11.0, 4.0)
    panels = figure.subplots(1, len(KINDS), sharey=True)
    for axis, (kind, title) in zip(panels, KINDS.items()):
        for pair in pairs:
            rows = same[(same["stimuli"] == kind) & (same["pair"] == pair)].set_index("first_layer").loc[names]
            style: dict[str, Any] = {"color": colour[pair]} if pair in colour else {"color": "0.5"}
            style["linestyle"] = ["-", "--", ":", "-."][untrained.index(pair) % 4] if pair in untrained else "-"
            axis.plot(names, rows["value"], marker="o", markersize=3, label=pair, **style)
            axis.fill_between(names, rows["low"], rows["high"], color=style["color"], alpha=0.15, linewidth=0)
        axis.set_title(title)
        axis.grid(alpha=0.3)
        axis.tick_params(axis="x", rotation=40)
    panels[0].set_ylabel("CKA of the same layer")
    panels[0].set_ylim(min(0.0, float(same["value"].min())) - 0.02, 1.02)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return figure


def draw_across(numbers: pd.DataFrame) -> Figure:
    """Layer against layer for each pair of networks, all clips."""
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


def _table(numbers: pd.DataFrame) -> str:
    same = _same(numbers)
    wide = same[same["stimuli"] == "together"].pivot_table(
        index="pair", columns="first_layer", values="value", sort=False
    )
    heading = "CKA of the same layer, all clips:\n\n"
    return heading + frame_table(wide.rename_axis(index="networks").map(lambda value: f"{value:.2f}"))


def sentences(folder: Path) -> list[str]:
    """Three sentences on what was found, every number out of ``cka.csv`` in ``folder``.

    Raises:
        FileNotFoundError: if it is not there.
    """
    same, about = _same(read_numbers(folder, NAME)), read_about(folder, NAME)
    together = same[same["stimuli"] == "together"]
    names = list(dict.fromkeys(together["first_layer"]))
    first_layer, last = names[0], names[-1]

    def value(pair: str, layer: str, kind: str = "together") -> float:
        rows = same[(same["pair"] == pair) & (same["first_layer"] == layer) & (same["stimuli"] == kind)]
        return float(rows["value"].iloc[0])

    pairs = list(dict.fromkeys(together["pair"]))
    trained = [pair for pair in pairs if "untrained" not in pair] or pairs
    reference = [pair for pair in pairs if pair not in trained]
    shown = [f"{value(pair, first_layer):.2f} to {value(pair, last):.2f} ({pair})" for pair in trained]
    found = [
        f"Over {about['stimuli']} clips, unbiased linear CKA of the same layer in two networks goes from {first_layer} "
        f"to the {last} embedding from {listed(shown)}."
    ]
    by_kind = [
        f"{value(pair, last, 'speech'):.2f} and {value(pair, last, 'nonspeech'):.2f} ({pair})" for pair in trained
    ]
    found.append(f"Over speech and over other sounds, the {last} embeddings' CKA is {listed(by_kind)}.")
    if reference:
        shown = [f"{value(pair, last):.2f} ({pair})" for pair in reference]
        found.append(f"Beside networks that were not trained, the {last} embeddings' CKA is {listed(shown)}.")
    return found
