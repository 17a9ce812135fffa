"""The report of the regression study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.reporting.markdown import NOTHING, markdown
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, listed, read_numbers
from benchmark.studies.regression.measurements import MEASUREMENTS
from benchmark.studies.regression.run import AHEAD, MEAN_ROW, PAIR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, TITLE = "regression", "Quantities read off an embedding"
CAPTION = "R² of a ridge regression on clip embeddings, by quantity and model, with 95 % intervals."
NETWORKS = ("speech", "nonspeech", "both")
UNTRAINED = "untrained"


def report(folder: Path) -> Report:
    """Make the report from ``regression.csv``.

    Raises:
        FileNotFoundError: if it is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    return Report(TITLE, sentences(numbers), tables(numbers), {NAME: (partial(figure, numbers), CAPTION)})


def _models(numbers: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(numbers["model"]))


def _measured(numbers: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(numbers["measurement"]))


def _line(numbers: pd.DataFrame, model: str, measurement: str, score: str) -> pd.Series | None:
    """One line of the result; None if it does not exist."""
    chosen = numbers.query("model == @model and measurement == @measurement and score == @score")
    return chosen.iloc[0] if len(chosen) else None


def _cell(line: pd.Series | None, digits: int, percent: bool = False) -> str:
    if line is None:
        return NOTHING
    factor = 100 if percent else 1
    half = (line["high"] - line["low"]) / 2 * factor
    return f"{line['value'] * factor:.{digits}f} ± {half:.{digits}f}"


def figure(numbers: pd.DataFrame) -> Figure:
    """Bars of R² with intervals, a panel for each measurement."""
    models = [name for name in _models(numbers) if name != MEAN_ROW]
    measured = _measured(numbers)
    columns = min(3, len(measured))
    n_rows = -(-len(measured) // columns)
    drawn = new_figure(3.4 * columns, 0.6 + n_rows * (0.9 + 0.24 * len(models)))
    axes = drawn.subplots(n_rows, columns, sharex=True, squeeze=False).flatten()
    colour = colours(models)
    for axis, name in zip(axes, measured):
        for place, model in enumerate(models):
            line = _line(numbers, model, name, "r2")
            if line is None:
                continue
            reach = [[line["value"] - line["low"]], [line["high"] - line["value"]]]
            axis.barh(place, line["value"], color=colour[model], height=0.72)
            axis.errorbar(line["value"], place, xerr=np.maximum(reach, 0), color="black", linewidth=1, capsize=2)
        axis.set_yticks(range(len(models)), models)
        axis.invert_yaxis()
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(MEASUREMENTS[name].title, fontsize=10)
        axis.grid(axis="x", alpha=0.3)
        axis.set_axisbelow(True)
        axis.set_xlim(min(-0.05, numbers.query("score == 'r2'")["low"].min()), 1)
    for axis in axes[len(measured) :]:
        axis.remove()
    drawn.supxlabel("R² on clips that were not trained on, with 95 % intervals (0: guessing the mean)", fontsize=9)
    return drawn


def tables(numbers: pd.DataFrame) -> list[str]:
    """R², mean absolute error and octave errors in Markdown, and what the measurements are."""
    models, measured = _models(numbers), _measured(numbers)
    titles = [MEASUREMENTS[name].title for name in measured]
    r2 = [
        [model, *(_cell(_line(numbers, model, name, "r2"), 2) for name in measured)]
        for model in models
        if model != MEAN_ROW
    ]
    errors = [[model, *(_cell(_line(numbers, model, name, "mae"), 2) for name in measured)] for model in models]
    units = [MEASUREMENTS[name].unit for name in measured]
    with_units = [title if title == unit else f"{title}, {unit}" for title, unit in zip(titles, units)]
    parts = [
        "R² of a ridge regression on clip embeddings: the share of the squared error of guessing the mean that it "
        "avoids (nested validation, groups never split), ± half the 95 % bootstrap interval over groups"
        f"{' (speakers: over mixtures)' if 'speakers' in measured else ''}:\n",
        markdown(["model", *titles], r2),
        "Mean absolute error:\n",
        markdown(["model", *with_units], errors),
    ]
    if "pitch" in measured:
        lines = [
            [
                model,
                _cell(_line(numbers, model, "pitch", "semitone_hits"), 1, percent=True),
                _cell(_line(numbers, model, "pitch", "octave_errors"), 1, percent=True),
            ]
            for model in models
        ]
        parts += ["Pitch, % of the notes:\n", markdown(["model", "within half a semitone", "in another octave"], lines)]
    meant = []
    for name in measured:
        first = numbers.query("measurement == @name").iloc[0]
        what = MEASUREMENTS[name].description
        meant.append(f"- {MEASUREMENTS[name].title}: {what}; {first['clips']} clips, {first['groups']} groups\n")
    return [*parts, "".join(meant)]


def sentences(numbers: pd.DataFrame) -> list[str]:
    """Up to three sentences on what was found; none if no network was measured.

    Args:
        numbers: what ``regression.csv`` holds.
    """
    networks = [name for name in NETWORKS if name in set(numbers["model"])]
    if not networks:
        return []
    r2 = numbers.query("score == 'r2' and model in @networks").pivot(
        index="measurement", columns="model", values="value"
    )
    titles = {name: MEASUREMENTS[name].title for name in r2.index}
    order = r2.mean(axis=1).round(2).sort_values(ascending=False)
    values = [f"{titles[name]} {value:.2f}" for name, value in order.items()]
    n_positive = int((order > 0).sum())
    others = f"; no better than guessing: {', '.join(values[n_positive:])}" if values[n_positive:] else ""
    parts = [
        "A ridge regression predicts from the clip embeddings, better than guessing the mean (R², mean over "
        f"{len(networks)} networks): {', '.join(values[:n_positive]) or 'nothing'}{others}."
    ]
    if "pitch" in r2.index:
        best = str(r2.loc["pitch"].idxmax())
        error = _line(numbers, best, "pitch", "mae")
        octaves = _line(numbers, best, "pitch", "octave_errors")
        guess = _line(numbers, MEAN_ROW, "pitch", "mae")
        if error is not None and octaves is not None and guess is not None:
            parts.append(
                f"Of the networks, `{best}` has the highest R² of pitch: its mean error is {error['value']:.1f} "
                f"semitones (guessing the mean: {guess['value']:.1f}), and {100 * octaves['value']:.0f} % of the notes "
                "are placed in another octave."
            )
    if set(PAIR) <= set(networks):
        parts.append(_compared(numbers, r2, titles))
    if UNTRAINED in set(numbers["model"]):
        parts.append(_without_training(numbers, networks, {name: titles[name] for name in order.index}))
    return parts


def _without_training(numbers: pd.DataFrame, networks: list[str], titles: dict[str, str]) -> str:
    """What the untrained network reaches, and for which quantities a trained one is clearly above it."""
    lines = {name: _line(numbers, UNTRAINED, name, "r2") for name in titles}
    values = [f"{titles[name]} {line['value']:.2f}" for name, line in lines.items() if line is not None]
    above = [
        titles[name]
        for name, line in lines.items()
        for each in [[_line(numbers, network, name, "r2") for network in networks]]
        if line is not None and any(one is not None and one["low"] > line["high"] for one in each)
    ]
    of = f"for {listed(above)} alone, the interval of a trained" if above else "the interval of no trained"
    return f"Without training, `{UNTRAINED}` reaches {', '.join(values)}; {of} network is above that of `{UNTRAINED}`."


def _compared(numbers: pd.DataFrame, r2: pd.DataFrame, titles: dict[str, str]) -> str:
    """The quantities for which one network of ``PAIR`` is better, where the interval of the difference excludes 0."""
    gap = numbers[numbers["score"] == AHEAD].set_index("measurement")
    leads = {PAIR: gap.index[gap["low"] > 0], PAIR[::-1]: gap.index[gap["high"] < 0]}
    ahead = []
    for (one, other), better in leads.items():
        if len(better):
            each = [f"{titles[name]} ({r2.loc[name, one]:.2f} and {r2.loc[name, other]:.2f})" for name in better]
            ahead.append(f"`{one}` is ahead of `{other}` for {listed(each)}")
    if not ahead:
        return f"The R² of `{PAIR[0]}` and `{PAIR[1]}` do not differ by more than the 95 % interval for any of them."
    even = (
        "" if sum(map(len, leads.values())) == len(gap) else "; the 95 % intervals of the other differences include 0"
    )
    return f"In R², {', and '.join(ahead)}{even}."
