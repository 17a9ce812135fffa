"""The report of the detection study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.reporting.markdown import markdown
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, listed, read_about, read_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "detection"
TITLE = "From a few labels to events in recordings"
TITLES = {
    "event_f1": "F1 of events, onset and offset",
    "onset_f1": "F1 of events, onset alone",
    "segment_ap": "average precision of segments",
}
#: Measures of the figure.
DRAWN = ("onset_f1", "segment_ap")
CAPTION = (
    "F1 of events by their onsets (top) and average precision of segments of a second (bottom), by labels a class, "
    "mean over the classes; bars, 95 % intervals."
)


def report(folder: Path) -> Report:
    """Make the report from ``detection.csv`` and ``detection.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    numbers["label"] = numbers["label"].fillna("")
    numbers = with_enough_clips(numbers, about["clips"]["learn"])
    figures = {NAME: (partial(figure, numbers), CAPTION)}
    return Report(TITLE, sentences(numbers), tables(numbers, about), figures)


def with_enough_clips(numbers: pd.DataFrame, clips: dict[str, int]) -> pd.DataFrame:
    """Leave out the kinds whose classes have fewer different clips than labels.

    Args:
        numbers: what ``detection.csv`` holds.
        clips: the number of different clips of each class in the labelled recordings.
    """
    of_kind = numbers[numbers["label"] != ""].groupby("kind")["label"].unique()
    least = {kind: min(clips[label] for label in labels) for kind, labels in of_kind.items()}
    return numbers[numbers["count"] <= numbers["kind"].map(least)].reset_index(drop=True)


def _means(numbers: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    rows = numbers[numbers["label"] == ""]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def figure(numbers: pd.DataFrame) -> Figure:
    """A column for each kind of classes, a row for each measure, a line for each model."""
    kinds, models = list(dict.fromkeys(numbers["kind"])), list(dict.fromkeys(numbers["model"]))
    colour = colours(models)
    drawn = new_figure(4.2 * len(kinds) + 1, 6)
    axes = drawn.subplots(len(DRAWN), len(kinds), squeeze=False, sharey="row")
    for row, measure in enumerate(DRAWN):
        for axis, kind in zip(axes[row], kinds, strict=True):
            for place, model in enumerate(models):
                rows = _means(numbers, kind=kind, measure=measure, model=model)
                # Side by side, so that the bars do not cover each other.
                counts = rows["count"] * 1.03 ** (place - (len(models) - 1) / 2)
                # Kept numbers are rounded, so that a limit that is the value may lie beyond it.
                bars = [(rows["value"] - rows["low"]).clip(lower=0), (rows["high"] - rows["value"]).clip(lower=0)]
                axis.errorbar(
                    counts,
                    rows["value"],
                    bars,
                    fmt="o-",
                    markersize=3,
                    elinewidth=0.8,
                    color=colour[model],
                    label=model,
                )
            axis.set_xscale("log")
            ticks = sorted(set(_means(numbers, kind=kind)["count"]))
            axis.set_xticks(ticks, [str(count) for count in ticks])
            axis.minorticks_off()
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
            if row == 0:
                axis.set_title(kind, fontsize=10)
            if row == len(DRAWN) - 1:
                axis.set_xlabel("labels a class")
        axes[row, 0].set_ylabel(TITLES[measure])
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return drawn


def tables(numbers: pd.DataFrame, about: dict[str, Any]) -> list[str]:
    """A table for each measure; what they are of."""
    parts = []
    pairs = list(dict.fromkeys(zip(numbers["kind"], numbers["count"], strict=True)))
    pairs.sort(key=lambda pair: list(dict.fromkeys(numbers["kind"])).index(pair[0]))
    for measure, title in TITLES.items():
        lines = []
        for model in dict.fromkeys(numbers["model"]):
            cells = []
            for kind, count in pairs:
                rows = _means(numbers, kind=kind, count=count, measure=measure, model=model)
                cells += [f"{100 * r.value:.1f} ({100 * r.low:.1f}–{100 * r.high:.1f})" for r in rows.itertuples()]
            lines.append([f"`{model}`", *cells])
        header = [f"{title}, %", *(f"{kind}, {count} labels" for kind, count in pairs)]
        parts.append(markdown(header, lines))
    return [*parts, described(numbers, about)]


def described(numbers: pd.DataFrame, about: dict[str, Any]) -> str:
    """What was measured, in a paragraph."""
    draws = [f"{about['draws'][str(count)]} with {count}" for count in dict.fromkeys(numbers["count"])]
    text = (
        f"Means over the classes, with 95 % intervals over test recordings and draws of labels ({listed(draws)} labels "
        f"a class). {about['test_recordings']} test recordings have {about['test_events']} events in "
        f"{about['test_minutes']:.0f} minutes. Each labelled recording lasts 40 s and has each class once: five labels "
        "a class are labels in three minutes of sound. What no label touches is a negative. Windows of "
        f"{about['window']:g} s, the labels' median length, follow each other every {about['hop']:g} s; networks "
        "embed them as `byola-hear embed` does, other models by the mean of their timestamps. The regularisation and "
        "the thresholds, those of best F1, come from the labelled recordings alone. An event counts as found if its "
        "onset is within 200 ms and, in the first table, its offset within 200 ms or half of its length."
    )
    clips = about["clips"]["learn"]
    left_out = [
        f"{kind} have as few as {min(clips[name] for name in set(rows['label']) - {''})} different clips to learn from"
        for kind, rows in numbers.groupby("kind", sort=False)
        if rows["count"].max() < numbers["count"].max()
    ]
    return text + "".join(f" The {each}, too few for the largest count." for each in left_out)


def sentences(numbers: pd.DataFrame) -> list[str]:
    """What was found; a difference is named if its interval does not include 0."""
    first = numbers["model"].iloc[0]
    found = []
    for kind in dict.fromkeys(numbers["kind"]):
        rows = _means(numbers, kind=kind, model=first)
        counts = list(dict.fromkeys(rows["count"]))
        onset, segment = (
            [f"{100 * _means(rows, measure=measure, count=count)['value'].item():.0f} %" for count in counts]
            for measure in ("onset_f1", "segment_ap")
        )
        found.append(
            f"With {listed([str(count) for count in counts])} labels of each class, `{first}` finds {kind} with an "
            f"onset F1 of {listed(onset)}, and an average precision of {listed(segment)} in segments of a second."
        )
    count = 20 if 20 in set(numbers["count"]) else int(numbers["count"].min())
    for kind in dict.fromkeys(numbers["kind"]):
        rows = _means(numbers, kind=kind, count=count, measure="segment_ap")
        rows = rows[rows["model"] != first]
        above = [f"`{row.model}` ({-100 * row.more:.0f})" for row in rows.itertuples() if row.more_high < 0]
        below = [f"`{row.model}` ({100 * row.more:.0f})" for row in rows.itertuples() if row.more_low > 0]
        parts = [f"{side} {listed(names)}" for side, names in (("above", above), ("below", below)) if names]
        if parts:
            found.append(
                f"With {count} labels of {kind}, `{first}` is {', and '.join(parts)}, in points of average precision, "
                "where the interval of the difference does not include 0."
            )
    return found
