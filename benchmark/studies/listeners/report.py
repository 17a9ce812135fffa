"""The report of the study with listeners, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.reporting.markdown import NOTHING
from benchmark.studies.findings import Report, frame_table, read_about, read_numbers
from benchmark.studies.listeners.figures import SET_TITLES, draw_layers, draw_models, values_of
from benchmark.studies.listeners.findings import LAYERS, sentences
from benchmark.studies.listeners.measure import DESCRIPTORS_ROW, LEARNT
from benchmark.studies.listeners.published import SOURCE, published_timbre

NAME = "rsa_listeners"
TITLE = "Do networks hear similarity as people do"


def report(folder: Path) -> Report:
    """Make the report from ``rsa_listeners.csv`` and ``.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    published = published_timbre()
    order = _order(numbers)
    layers = [each for each in LAYERS if (numbers["representation"] == each).any()]
    interval = ", with 95 % bootstrap intervals over the sounds of each space" * bool(about["draws"])
    figures = {
        NAME: (
            partial(draw_models, numbers, published, order),
            "Spearman's correlation of models' dissimilarities with listeners', by anchor and averaged"
            f"{interval}. Diamonds: with weights fitted to other spaces. Ticks: over all pairs, given duration, level, "
            "pitch and centroid. Green: how far listeners agree, all of them (solid: split half, corrected) and one "
            f"with the rest (dashed). Published: {SOURCE}.",
        )
    }
    if len(layers) > 1:
        figures["rsa_listeners_layers"] = (
            partial(draw_layers, numbers, layers),
            "The same at each layer, means over time; `clip` is the clip embedding.",
        )
    tables = [table(numbers, order, name) for name in SET_TITLES]
    tables += [spaces_table(numbers, order), ceiling_table(numbers), published_table(published)]
    return Report(TITLE, sentences(numbers, published), tables, figures)


def _order(numbers: pd.DataFrame) -> list[str]:
    """Models by their correlation with the timbre spaces, the largest first."""
    first = values_of(numbers, next(iter(SET_TITLES)), "anchor")
    return first["value"].sort_values(ascending=False).index.tolist()


def _cell(row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return NOTHING
    text = f"{row['value']:.3f}"
    return f"{text} [{row['low']:.2f}, {row['high']:.2f}]" if np.isfinite(row["low"]) else text


def table(numbers: pd.DataFrame, order: list[str], name: str) -> str:
    """Correlations of a set in Markdown: a row a model, a column a measure."""
    columns = {}
    for measure, heading in (("anchor", "by anchor"), ("triangle", "over pairs"), ("partial", "given descriptors")):
        rows = values_of(numbers, name, measure)
        if measure == "partial":
            rows = rows.drop(DESCRIPTORS_ROW, errors="ignore")
        columns[heading] = rows.reindex(order).apply(_cell, axis=1)
    columns["learnt metric, by anchor"] = values_of(numbers, name, "anchor", LEARNT).reindex(order).apply(_cell, axis=1)
    frame = pd.DataFrame(columns, index=pd.Index(order, name="model"))
    return (
        f"{SET_TITLES[name]}: Spearman's correlation with listeners and its 95 % interval over sounds. By anchor: the "
        "dissimilarities from each sound to the others of its space, the mean over the sounds. Over pairs: of all "
        "pairs of a space, the mean over the spaces by their sounds. Given descriptors: over pairs, with duration, "
        "level, pitch and centroid held constant:\n\n" + frame_table(frame)
    )


def spaces_table(numbers: pd.DataFrame, order: list[str]) -> str:
    """Intervals over spaces in Markdown, for the sets with several."""
    columns = {}
    for name, title in SET_TITLES.items():
        rows = values_of(numbers, name, "anchor").reindex(order)
        if rows["low_spaces"].notna().any():
            columns[title] = rows.apply(lambda row: f"[{row['low_spaces']:.2f}, {row['high_spaces']:.2f}]", axis=1)
    if not columns:
        return ""
    frame = pd.DataFrame(columns, index=pd.Index(order, name="model"))
    return "The interval of the correlation by anchor if other spaces had been drawn:\n\n" + frame_table(frame)


def ceiling_table(numbers: pd.DataFrame) -> str:
    """The listeners' agreement in Markdown; empty if no rater is known."""
    chosen = numbers[numbers["representation"] == "listeners"]
    if chosen.empty:
        return ""
    wide = chosen.assign(column=chosen["set"].map(SET_TITLES) + ": " + chosen["measure"].map(_MEASURE_TITLES))
    wide = wide.pivot_table(index="model", columns="column", values="value", sort=False)
    heading = (
        "How far listeners agree with each other (Spearman's correlation), where each one's ratings are known:\n\n"
    )
    return heading + frame_table(wide.rename_axis(index="listeners").map(lambda value: f"{value:.2f}"))


_MEASURE_TITLES = {"anchor": "by anchor", "triangle": "over pairs"}


def published_table(published: dict[str, float]) -> str:
    """Published correlations in Markdown."""
    frame = pd.DataFrame({"by anchor": {name: f"{value:.3f}" for name, value in published.items()}})
    return f"Published for the 21 timbre spaces, not measured here; {SOURCE}, ours at 16 kHz:\n\n" + frame_table(
        frame.rename_axis(index="representation")
    )
