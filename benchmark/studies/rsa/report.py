"""The report of the RSA study, made from its numbers and matrices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers
from benchmark.studies.rsa.descriptors import DESCRIPTORS
from benchmark.studies.rsa.dissimilarity import DISTANCES
from benchmark.studies.rsa.figures import STIMULI_TITLES, draw_bars, draw_listeners, draw_matrices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "rsa"
TITLE = "What makes two sounds alike to a network"

#: The category that is held constant in partial correlations: sets differ in how they were recorded.
SET = "same set"


def report(folder: Path) -> Report:
    """Make the report from ``rsa.csv``, ``rsa.json`` and, for the picture of the matrices, ``rsa_matrices.npz``.

    The matrices are large and not part of the repository. Without them, their picture stays as it is.

    Raises:
        FileNotFoundError: if one of the first two is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    found = sentences(numbers, about["stimuli"], len(about["listeners"]))
    matrices = folder / "rsa_matrices.npz"
    drawn: dict[str, Callable[[], Figure] | None] = {
        "rsa": partial(draw_bars, numbers[numbers["model"] != "noise ceiling"], "spearman", DISTANCES[0]),
        "rsa_partial": partial(draw_bars, numbers, "partial", DISTANCES[0]),
        "rsa_matrices": partial(_draw_kept, matrices, folder / "rsa_descriptors.csv") if matrices.is_file() else None,
    }
    if (numbers["reference"] == "listeners").any():
        drawn["rsa_ratings"] = partial(draw_listeners, numbers)
    captions = _captions(numbers, bool(about["draws"]))
    return Report(TITLE, found, [table(numbers)], {name: (draw, captions[name]) for name, draw in drawn.items()})


def _draw_kept(matrices: Path, descriptors: Path) -> Figure:
    with np.load(matrices, allow_pickle=False) as arrays:
        kept = dict(zip(arrays["titles"].tolist(), arrays["matrices"].astype(np.float64)))
    return draw_matrices(kept, pd.read_csv(descriptors)["set"].to_numpy(str))


def _captions(numbers: pd.DataFrame, intervals: bool) -> dict[str, str]:
    held = "the other descriptors"
    if SET in set(numbers["reference"]):
        held += " and whether the sounds are of one set"
    return {
        "rsa": "Spearman's correlation of the models' dissimilarities (one minus correlation) with those of acoustic "
        f"descriptors{', with 95 % bootstrap intervals over the stimuli' * intervals}.",
        "rsa_partial": f"Partial correlation, given {held}, over the sounds for which every descriptor is defined.",
        "rsa_matrices": "Dissimilarities of all pairs of sounds; similar pairs are dark.",
        "rsa_ratings": "Correlation with the listeners' ratings; the noise ceiling is grey.",
    }


def table(numbers: pd.DataFrame) -> str:
    """Spearman's correlations over all stimuli in Markdown: a row a model, a column a descriptor."""
    chosen = numbers[(numbers["measure"] == "spearman") & (numbers["distance"] == DISTANCES[0])]
    kind = list(chosen["stimuli"])[-1]
    wide = chosen[chosen["stimuli"] == kind].pivot_table(index="model", columns="reference", values="value", sort=False)
    heading = f"Spearman's correlation of dissimilarities, {STIMULI_TITLES[kind]}:\n\n"
    return heading + frame_table(wide.rename_axis(index="model").map(lambda value: f"{value:.2f}"))


def sentences(numbers: pd.DataFrame, n_stimuli: int, n_listeners: int = 0) -> list[str]:
    """Two to four sentences on what was found.

    Args:
        numbers: what ``rsa.csv`` holds.
        n_stimuli: number of sounds.
        n_listeners: number of listeners who rated them.
    """
    acoustic = numbers[(numbers["distance"] == DISTANCES[0]) & numbers["reference"].isin(DESCRIPTORS)]
    plain, partial = (acoustic[acoustic["measure"] == measure] for measure in ("spearman", "partial"))
    models = list(dict.fromkeys(acoustic["model"]))
    kinds = list(dict.fromkeys(acoustic["stimuli"]))
    kind = kinds[-1]
    by_kind = [
        f"{_most(plain[(plain['stimuli'] == kind) & (plain['model'] == models[0])], 3)} over {STIMULI_TITLES[kind]}"
        for kind in kinds
    ]
    found = [
        f"Over {n_stimuli} sounds, the dissimilarities of `{models[0]}` correlate most with those of "
        f"{'; of '.join(by_kind)} (Spearman's correlation)."
    ]
    left = partial[(partial["stimuli"] == kind) & (partial["model"] == models[0])].dropna(subset="value")
    if len(left):
        held = "the other descriptors" + (
            " and the set that a sound is from" if SET in set(numbers["reference"]) else ""
        )
        count = int(left["count"].iloc[0])
        over = (
            STIMULI_TITLES[kind]
            if count == n_stimuli
            else f"the {count} of {n_stimuli} sounds for which all are defined"
        )
        found.append(f"Given {held}, the largest partial correlations are with {_most(left, 3)}, over {over}.")
    together = plain[plain["stimuli"] == kind]
    others = [f"`{name}` with {_most(together[together['model'] == name], 1)}" for name in models[1:]]
    if others:
        found.append(f"Over {STIMULI_TITLES[kind]}, the other models correlate most as follows: {'; '.join(others)}.")
    rated = numbers[(numbers["reference"] == "listeners") & (numbers["measure"] == "spearman")]
    if len(rated):
        found.append(_of_listeners(rated, n_listeners))
    return found


def _most(rows: pd.DataFrame, count: int) -> str:
    """The references with the largest correlations, among those whose interval, if any, lies above 0. The number of
    sounds is given where a reference is not defined for all.
    """
    above = rows[rows["low"].fillna(rows["value"]) > 0]
    best = above.sort_values("value", ascending=False, kind="stable").head(count)
    most = rows["count"].max()
    shown = [
        f"{name} ({value:.2f}{f', over {sounds}' if sounds < most else ''})"
        for name, value, sounds in zip(best["reference"], best["value"], best["count"])
    ]
    return listed(shown) or f"nothing{' whose interval is' if rows['low'].notna().any() else ''} above 0"


def _of_listeners(rated: pd.DataFrame, n_listeners: int) -> str:
    models = rated[rated["distance"] == DISTANCES[0]]
    descriptors = rated[rated["distance"] == "descriptor"].assign(reference=lambda rows: rows["model"])
    shown = [f"`{name}` ({value:.2f})" for name, value in zip(models["model"], models["value"])]
    text = (
        f"The ratings of {n_listeners} listener{'s' if n_listeners > 1 else ''} correlate with the dissimilarities of "
        f"{listed(shown)}; among the descriptors, most with {_most(descriptors, 3)}"
    )
    ceiling = rated[rated["distance"] == "ceiling"]
    if len(ceiling):
        text += f"; the noise ceiling is {ceiling['low'].iloc[0]:.2f} to {ceiling['high'].iloc[0]:.2f}"
    return text + "."
