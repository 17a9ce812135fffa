"""The report of the study of dimensions, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.comparison.intervals import finite_percentiles
from benchmark.probes.probe import INDEPENDENT
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers
from benchmark.studies.scores import complete
from byola_hear.utils.text import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "dimensions"
TITLE = "What short vectors cost"
CAPTION = (
    "Difference from whole embeddings, points, mean over the tasks; bars, 95 % intervals over the tested clips (probe) "
    "or over the draws (few labels). Neighbours have no interval. " + INDEPENDENT
)
#: Measures by their columns in the table: the measure and the number of labels a class.
COLUMNS = {
    "probe": ("probe", 0),
    "5 neighbours": ("neighbours", 0),
    **{f"ridge, {count} a class": ("ridge", count) for count in (1, 5, 20)},
    **{f"centroid, {count} a class": ("centroid", count) for count in (1, 5, 20)},
}
_FIGURE = ("probe", "5 neighbours", "ridge, 5 a class", "centroid, 5 a class")
#: What the findings call the columns that they name.
_SPOKEN = {
    "probe": "linear probe with all labels",
    **{f"ridge, {count} a class": f"ridge probe with {quantity(count, 'label')} a class" for count in (1, 5, 20)},
    "centroid, 5 a class": "nearest class mean with 5 labels a class",
    "5 neighbours": "share of the five nearest neighbours by plain cosine with the same label",
}
_DRAWS = 2000


def report(folder: Path) -> Report:
    """Make the report from ``dimensions.csv`` and ``dimensions.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    models = list(dict.fromkeys(numbers["model"]))
    tables = [table(numbers[numbers["model"] == model], model, about) for model in models]
    tables.append(stability_table(numbers, about["directions"]))
    return Report(TITLE, sentences(numbers, about), tables, {NAME: (partial(draw_costs, numbers), CAPTION)})


def rows_of(numbers: pd.DataFrame, column: str) -> pd.DataFrame:
    """The numbers of a column: of all tasks or, with few labels, of :func:`complete` tasks."""
    measure, count = COLUMNS[column]
    rows = numbers[(numbers["measure"] == measure) & (numbers["count"] == count)]
    return rows[rows["task"].isin(complete(numbers))] if count else rows


def means(numbers: pd.DataFrame) -> pd.DataFrame:
    """Means over folds or draws, then over tasks: a row for each number of dimensions, columns as :data:`COLUMNS`."""
    found = {column: _mean(rows_of(numbers, column)) for column in COLUMNS}
    return pd.DataFrame(found, index=pd.Index(sorted(set(numbers["dimensions"])), name="dimensions"))


def _mean(rows: pd.DataFrame) -> pd.Series:
    """The mean over folds or draws, then over tasks, by number of dimensions."""
    return rows.groupby(["dimensions", "task"])["accuracy"].mean().groupby("dimensions").mean()


def difference(numbers: pd.DataFrame, size: int, column: str) -> tuple[float, float, float] | None:
    """Mean difference from whole embeddings and its 95 % interval, points; None if there is no interval.

    The interval of the probe is over the tested clips, those of each size resampled by themselves. That of few labels
    is over the draws, which are the same for all sizes.
    """
    rows, whole = rows_of(numbers, column), int(numbers["dimensions"].max())
    one, other = (rows[rows["dimensions"] == each].set_index(["task", "draw"]).sort_index() for each in (size, whole))
    if column == "5 neighbours" or not len(one):
        return None
    rng = np.random.default_rng(0)
    if column == "probe":
        drawn = []
        for part in (one, other):
            clips = part["clips"].to_numpy(int)
            shares = rng.binomial(clips, part["accuracy"].to_numpy() / 100, (_DRAWS, len(part))) / clips
            by_task = pd.DataFrame(shares.T, index=part.index).groupby(level="task").mean()
            drawn.append(100 * by_task.mean().to_numpy())
        differences = drawn[0] - drawn[1]
    else:
        by_draw = (one["accuracy"] - other["accuracy"]).groupby(level="draw").mean().to_numpy()
        differences = by_draw[rng.integers(len(by_draw), size=(_DRAWS, len(by_draw)))].mean(1)
    exact = _mean(rows)
    return float(exact[size] - exact[whole]), *finite_percentiles(differences)


def table(numbers: pd.DataFrame, model: str, about: dict[str, Any]) -> str:
    """Mean accuracies of a model in Markdown: a row for each number of dimensions."""
    found = means(numbers)
    rows = found.map(lambda value: f"{value:.1f}")
    rows.insert(0, "bytes a row", [str(4 * size) for size in found.index])
    rows.index = pd.Index([str(size) for size in found.index], name="dimensions")
    over, few = listed(list(dict.fromkeys(numbers["task"]))), listed(complete(numbers))
    return (
        f"`{model}`: accuracy, %, of a probe; share of the five nearest neighbours by cosine with the same label, %; "
        f"means over {over}; accuracy, %, with few labels, means over {few} and {about['draws']} draws; "
        f"{about['parts']} parts:\n\n{frame_table(rows)}"
    )


def stability_table(numbers: pd.DataFrame, directions: dict[str, dict[str, Any]]) -> str:
    """How stable the directions are, in Markdown: a row for each network and number of directions that is measured."""
    rows = []
    for model, origin in directions.items():
        measured = set(numbers.loc[numbers["model"] == model, "dimensions"])
        for each in (half for half in origin["halves"] if half["count"] in measured):
            shares = [f"{100 * each[name]:.1f}" for name in ("variance", "best")]
            rows.append([model, str(origin["clips"]), str(each["count"]), *shares, f"{each['cosines']:.3f}"])
    header = ["clips", "directions", "variance of the other half, %", "by its own, %", "correlation of cosines"]
    frame = pd.DataFrame(
        [row[1:] for row in rows], index=pd.Index([row[0] for row in rows], name="model"), columns=header
    )
    return f"Directions of one half of the clips, compared with those of the other half:\n\n{frame_table(frame)}"


def draw_costs(numbers: pd.DataFrame) -> Figure:
    """Differences from whole embeddings against dimensions: a panel for each model, a line for each measure."""
    models = list(dict.fromkeys(numbers["model"]))
    figure = new_figure(max(6.0, 3.6 * len(models)), 3.8)
    axes = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
    for axis, model in zip(axes, models, strict=True):
        rows = numbers[numbers["model"] == model]
        found = means(rows)
        sizes = list(found.index)
        for place, column in enumerate(_FIGURE):
            values = found[column] - found[column].iloc[-1]
            spans = [difference(rows, size, column) for size in sizes]
            shift = 1.02 ** (place - 1.5)
            errors = [
                [
                    0.0 if span is None or size == sizes[-1] else max(0.0, sign * (span[side] - span[0]))
                    for span, size in zip(spans, sizes)
                ]
                for side, sign in ((1, -1), (2, 1))
            ]
            axis.errorbar([size * shift for size in sizes], values, errors, marker="o", markersize=3, label=column)
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.axhline(0, color="black", linewidth=0.8)
        axis.grid(alpha=0.3)
        axis.set_title(model)
        axis.set_xlabel("dimensions")
    axes[0].set_ylabel("difference from whole embeddings, points")
    axes[-1].legend(fontsize=8, frameon=False)
    return figure


def sentences(numbers: pd.DataFrame, about: dict[str, Any]) -> list[str]:
    """What was found for each model, with 256 dimensions and with the most that are short for it."""
    texts = [
        f"Numbers are differences from whole embeddings on {about['parts']} parts, in points, with intervals of 95 %; "
        "neighbours have none."
    ]
    for model, rows in numbers.groupby("model", sort=False):
        *sizes, _ = (int(size) for size in sorted(set(rows["dimensions"])))
        shown = {max((size for size in sizes if size <= 256), default=sizes[0]), sizes[-1]}
        texts += [_of_size(str(model), rows, size) for size in sorted(shown)]
    return texts


def _of_size(model: str, rows: pd.DataFrame, size: int) -> str:
    """Differences of a model with this many dimensions from whole embeddings, for every measure that it has."""
    found = means(rows)
    whole = int(found.index[-1])
    parts = []
    for column, what in _SPOKEN.items():
        if not np.isfinite(found[column].iloc[-1]):
            continue
        span = difference(rows, size, column)
        if span is None:
            parts.append(f"{what} {found[column][size] - found[column][whole]:+.1f}")
        else:
            value = f"{span[0]:+.1f}" if span[1] * span[2] > 0 else "no clear difference"
            parts.append(f"{what} {value} ({span[1]:+.1f} to {span[2]:+.1f})")
    return f"With {size} of the {whole} dimensions of `{model}`: {listed(parts)}."
