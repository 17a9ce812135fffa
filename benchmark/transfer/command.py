"""``python -m benchmark transfer``: probes trained under one condition, tested under another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark import ridge
from benchmark.extractors import Extractor
from benchmark.findings import frame_table, listed, read_about, read_numbers, save_findings, save_study
from benchmark.probe import plan
from benchmark.sources import LabelledSet, audio_folder, load_set
from benchmark.study import new_figure, seconds_bar, study_options
from benchmark.study_setup import Setup, embedded, key_of, remembered
from benchmark.transfer import matrix
from benchmark.transfer.conditions import TRANSFERS, Clips, Transfer, find_transfers
from benchmark.transfer.matrix import Condition, transfer_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "transfer"
TITLE = "What carries over from one condition to another"


@click.command(NAME)
@study_options()
@click.option(
    "--transfers",
    default="all",
    show_default=True,
    metavar="NAME,…",
    help=f"all, or out of {', '.join(TRANSFERS)}.",
)
@click.option(
    "--max-clips",
    type=click.IntRange(50),
    default=400,
    show_default=True,
    help="Clips of a set in a condition at most.",
)
def transfer_command(transfers: str, max_clips: int, **options: Any) -> None:
    """Transfer matrices: balanced accuracy of a ridge probe trained under one condition and tested under each.

    Writes transfer.csv, transfer.json, transfer.md, transfer_findings.md and transfer.png. Groups (speakers,
    recordings, notes, strokes) are never split, not between conditions either.

    Exit codes: 0, or 2 where something that was asked for can't be had.
    """
    setup = Setup.of(**options)
    wanted = find_transfers(transfers)
    folder = audio_folder(setup.audio)
    sources = dict.fromkeys(source for transfer in wanted for source in transfer.sources)
    sets = {name: load_set(folder / f"{name}.tar", setup.cache, setup.progress) for name in sources}
    rows = setup.rows(lambda: plan("core", setup.audio, setup.cache).training_clips())
    clips = {
        transfer.name: {
            name: [thinned(part, max_clips, setup.seed) for part in parts]
            for name, parts in transfer.conditions({source: sets[source] for source in transfer.sources}).items()
        }
        for transfer in wanted
    }
    found: list[dict[str, Any]] = []
    for row in rows:
        for number, extractor in enumerate(row.extractors):
            for each in _of_model(extractor, wanted, clips, sets, setup):
                found.append({"model": row.name, "seed": number, **each})
    numbers = pd.DataFrame(found)
    titles = {transfer.name: transfer.title for transfer in wanted}
    about = {
        "command": "python -m benchmark transfer",
        "seed": setup.seed,
        "max_clips": max_clips,
        "titles": titles,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: labelled.sha256 for name, labelled in sets.items()},
    }
    save_study(setup.output, NAME, numbers, {NAME: draw_matrices(numbers, titles)}, about)
    caption = "Balanced accuracy, %: trained under the condition of the row, tested under that of the column."
    save_findings(setup.output, NAME, TITLE, sentences(setup.output), [_table(numbers, titles)], {NAME: caption})
    click.echo(_table(numbers, titles))


def thinned(clips: Clips, most: int, seed: int) -> Clips:
    """At most so many clips of a set, drawn at random with labels as even as they go."""
    if len(clips.rows) <= most:
        return clips
    shuffled = np.random.default_rng(seed).permutation(len(clips.rows))
    turn = pd.Series(clips.labels[shuffled]).groupby(clips.labels[shuffled]).cumcount().to_numpy()
    kept = np.sort(shuffled[np.argsort(turn, kind="stable")[:most]])
    return Clips(clips.source, clips.rows[kept], clips.labels[kept], clips.groups[kept])


def _of_model(
    extractor: Extractor,
    wanted: Sequence[Transfer],
    clips: dict[str, dict[str, list[Clips]]],
    sets: dict[str, LabelledSet],
    setup: Setup,
) -> list[dict[str, Any]]:
    """All matrices of one extractor; embeddings only where one was not finished before."""
    needed = {
        name: np.unique(
            np.concatenate(
                [part.rows for of in clips.values() for parts in of.values() for part in parts if part.source == name]
            )
        )
        for name in sets
    }
    held: dict[str, np.ndarray] = {}

    def embeddings(source: str) -> np.ndarray:
        """Embeddings in the rows of the set; those that no transfer needs are zero."""
        if source not in held:
            labelled, rows = sets[source], needed[source]
            seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
            with seconds_bar(f"{extractor.row}: embed {source}", seconds, setup.progress) as bar:
                part = embedded(extractor, labelled, rows, setup.cache, bar)
            held[source] = np.zeros((len(labelled), part.shape[1]), np.float32)
            held[source][rows] = part
        return held[source]

    found: list[dict[str, Any]] = []
    for transfer in wanted:
        conditions = clips[transfer.name]
        identity = [
            [
                name,
                [[part.source, sets[part.source].sha256, part.rows.tolist(), part.labels.tolist()] for part in parts],
            ]
            for name, parts in conditions.items()
        ]
        key = key_of(extractor.identity, identity, setup.seed, code=[matrix.__file__, ridge.__file__])

        def compute(transfer: Transfer = transfer, conditions: dict[str, list[Clips]] = conditions) -> Any:
            ready = {
                name: Condition(
                    np.concatenate([embeddings(part.source)[part.rows] for part in parts]),
                    np.concatenate([part.labels for part in parts]),
                    np.concatenate([part.groups for part in parts]),
                )
                for name, parts in conditions.items()
            }
            apart = transfer.apart

            def tested(one: str, other: str) -> bool:
                return apart is None or not apart(one) & apart(other)

            with tqdm(
                total=len(ready), desc=f"{extractor.row}: {transfer.name}", disable=not setup.progress, leave=False
            ) as bar:
                return transfer_matrix(ready, setup.seed, tested, bar=bar)

        rows = remembered(setup.cache, NAME, key, compute)
        found += [{"transfer": transfer.name, **row} for row in rows]
    return found


def _averaged(numbers: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds of a row."""
    keys = ["model", "transfer", "trained", "tested"]
    means: pd.DataFrame = numbers.groupby(keys, sort=False)[["value", "low", "high", "chance"]].mean().reset_index()
    return means


def summary(numbers: pd.DataFrame) -> pd.DataFrame:
    """For each model and transfer the mean accuracy under the ``same`` condition and under ``another``, and
    ``chance``, %."""
    means = _averaged(numbers)
    means["same"] = means["trained"] == means["tested"]
    grouped = means.groupby(["model", "transfer", "same"], sort=False)["value"].mean().unstack("same")
    table = grouped.rename(columns={True: "same", False: "another"})
    table["chance"] = means.groupby(["model", "transfer"], sort=False)["chance"].mean()
    return table.reset_index()


def draw_matrices(numbers: pd.DataFrame, titles: dict[str, str]) -> Figure:
    """A matrix for each transfer (rows) and model (columns); what was not tested stays white."""
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
        line[0].set_ylabel(titles.get(name, name), fontsize=8)
        bar = figure.colorbar(image, ax=line[-1])
        bar.ax.tick_params(labelsize=6)
    return figure


def _table(numbers: pd.DataFrame, titles: dict[str, str]) -> str:
    table = summary(numbers)
    table["cell"] = [f"{same:.1f} → {another:.1f}" for same, another in zip(table["same"], table["another"])]
    wide = table.pivot_table(index="model", columns="transfer", values="cell", aggfunc="first", sort=False)
    wide = wide[list(dict.fromkeys(table["transfer"]))].rename(columns=titles).rename_axis(index="model")
    chances = table.drop_duplicates("transfer").set_index("transfer")["chance"]
    wide.loc["chance"] = [f"{chances[name]:.1f}" for name in dict.fromkeys(table["transfer"])]
    heading = "Balanced accuracy, %: tested under the condition trained under → mean over the others:\n\n"
    return heading + frame_table(wide)


def sentences(folder: Path) -> list[str]:
    """Three sentences on what was found, every number out of ``transfer.csv`` in ``folder``.

    Raises:
        FileNotFoundError: if it is not there.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    table, titles = summary(numbers), about["titles"]
    model = numbers["model"].iloc[0]
    own = table[table["model"] == model].copy()
    shown = [
        f"{titles[name]} {same:.1f} → {another:.1f}"
        for name, same, another in zip(own["transfer"], own["same"], own["another"])
    ]
    found = [
        f"A probe on `{model}`, tested under the condition that it learnt under → under the others, reaches a balanced "
        f"accuracy (%) of: {'; '.join(shown)}."
    ]
    # What is kept of what is above chance.
    own["kept"] = 100 * (own["another"] - own["chance"]) / (own["same"] - own["chance"]).where(lambda gap: gap > 0)
    own = own.dropna(subset=["kept"])
    if len(own):
        most, least = own.loc[own["kept"].idxmax()], own.loc[own["kept"].idxmin()]
        found.append(
            f"Of what is above chance, most is kept for {titles[most['transfer']]} ({most['kept']:.0f} %) and least "
            f"for {titles[least['transfer']]} ({least['kept']:.0f} %)."
        )
    means = table.groupby("model", sort=False)["another"].mean()
    found.append(
        f"Under conditions not learnt under, the mean over the {table['transfer'].nunique()} matrices is "
        f"{listed([f'{value:.1f} (`{name}`)' for name, value in means.items()])}."
    )
    return found
