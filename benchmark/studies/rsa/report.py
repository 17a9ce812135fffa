"""What the study says: sentences, captions and a table, out of its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.studies.findings import frame_table, listed, read_about, read_numbers
from benchmark.studies.rsa.descriptors import DESCRIPTORS
from benchmark.studies.rsa.dissimilarity import DISTANCES
from benchmark.studies.rsa.figures import STIMULI_TITLES

NAME = "rsa"
TITLE = "What makes two sounds alike to a network"

#: The category that is held constant in partial correlations: sets differ in how they were recorded.
SET = "same set"


def captions(folder: Path, figures: Sequence[str]) -> dict[str, str]:
    """Captions of the figures that were drawn.

    Args:
        folder: that holds ``rsa.csv`` and ``rsa.json``.
        figures: their names.

    Raises:
        FileNotFoundError: if a file is not there.
    """
    intervals = ", 95 % bootstrap intervals over the stimuli" if read_about(folder, NAME)["draws"] else ""
    given = "the other descriptors"
    if SET in set(read_numbers(folder, NAME)["reference"]):
        given += " and whether two sounds are of one set"
    texts = {
        "rsa": "Spearman's correlation of the models' dissimilarities (one minus correlation) with those of acoustic "
        f"descriptors{intervals}.",
        "rsa_partial": f"The same given all {given}, over the sounds for which all descriptors are defined.",
        "rsa_matrices": "Dissimilarities of all pairs of sounds, dark where they are alike.",
        "rsa_listeners": "Correlation with listeners' ratings; grey, the noise ceiling.",
    }
    return {name: texts[name] for name in figures}


def table(numbers: pd.DataFrame) -> str:
    """Spearman's correlations in Markdown, rows models, columns descriptors, for the stimuli together."""
    chosen = numbers[(numbers["measure"] == "spearman") & (numbers["distance"] == DISTANCES[0])]
    kind = list(chosen["stimuli"])[-1]
    wide = chosen[chosen["stimuli"] == kind].pivot_table(index="model", columns="reference", values="value", sort=False)
    heading = f"Spearman's correlation of dissimilarities, {STIMULI_TITLES[kind]}:\n\n"
    return heading + frame_table(wide.rename_axis(index="model").map(lambda value: f"{value:.2f}"))


def sentences(folder: Path) -> list[str]:
    """Two to four sentences on what was found, every number out of ``rsa.csv`` in ``folder``.

    Raises:
        FileNotFoundError: if it is not there.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    acoustic = numbers[(numbers["distance"] == DISTANCES[0]) & numbers["reference"].isin(DESCRIPTORS)]
    plain, partial = (acoustic[acoustic["measure"] == measure] for measure in ("spearman", "partial"))
    models = list(dict.fromkeys(acoustic["model"]))
    kinds = list(dict.fromkeys(acoustic["stimuli"]))
    kind, total = kinds[-1], about["stimuli"]
    by_kind = [
        f"{_most(plain[(plain['stimuli'] == kind) & (plain['model'] == models[0])], 3)} over {STIMULI_TITLES[kind]}"
        for kind in kinds
    ]
    found = [
        f"Over {total} sounds, `{models[0]}`'s dissimilarities follow most those of {'; of '.join(by_kind)} "
        "(Spearman's correlation)."
    ]
    left = partial[(partial["stimuli"] == kind) & (partial["model"] == models[0])].dropna(subset="value")
    if len(left):
        given = "the other descriptors" + (
            " and the set that a sound is from" if SET in set(numbers["reference"]) else ""
        )
        count = int(left["count"].iloc[0])
        over = STIMULI_TITLES[kind] if count == total else f"the {count} of {total} sounds for which all are defined"
        found.append(f"Given all {given}, what is left is {_most(left, 3)}, over {over}.")
    together = plain[plain["stimuli"] == kind]
    others = [f"`{name}` {_most(together[together['model'] == name], 1)}" for name in models[1:]]
    if others:
        found.append(f"What the other models follow most, over {STIMULI_TITLES[kind]}: {'; '.join(others)}.")
    rated = numbers[(numbers["reference"] == "listeners") & (numbers["measure"] == "spearman")]
    if len(rated):
        found.append(_of_listeners(rated, len(about["listeners"])))
    return found


def _most(rows: pd.DataFrame, count: int) -> str:
    """The references that are followed most, of those whose interval, if there is one, lies above 0; and over how many
    sounds where a reference is not defined for all."""
    above = rows[rows["low"].fillna(rows["value"]) > 0]
    best = above.sort_values("value", ascending=False, kind="stable").head(count)
    most = rows["count"].max()
    shown = [
        f"{name} ({value:.2f}{f', over {sounds}' if sounds < most else ''})"
        for name, value, sounds in zip(best["reference"], best["value"], best["count"])
    ]
    return listed(shown) or f"nothing{' whose interval lies' if rows['low'].notna().any() else ''} above 0"


def _of_listeners(rated: pd.DataFrame, n_listeners: int) -> str:
    models = rated[rated["distance"] == DISTANCES[0]]
    descriptors = rated[rated["distance"] == "descriptor"].assign(reference=lambda rows: rows["model"])
    shown = [f"`{name}` ({value:.2f})" for name, value in zip(models["model"], models["value"])]
    text = (
        f"The ratings of {n_listeners} listener{'s' if n_listeners > 1 else ''} correlate with the dissimilarities of "
        f"{listed(shown)}; of the descriptors they follow most {_most(descriptors, 3)}"
    )
    ceiling = rated[rated["distance"] == "ceiling"]
    if len(ceiling):
        text += f"; the noise ceiling is {ceiling['low'].iloc[0]:.2f} to {ceiling['high'].iloc[0]:.2f}"
    return text + "."
