"""The report of the study of readouts, made from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.probes.probe import INDEPENDENT
from benchmark.probes.splits import TASKS
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers
from benchmark.studies.scores import READOUTS, Estimate, Scores, mean_over, resampled_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "readouts"
TITLE = "Three ways to use an embedding"
CAPTION = "Means over the tasks, %: {}. Points: single tasks."
#: What each readout is, in words.
WORDS = {
    "probe": "accuracy of a ridge probe with all labels",
    "5 neighbours": "share of the five nearest neighbours by cosine, from other groups, that have the same label",
    "20 labels": "accuracy of a ridge probe with 20 labels a class",
}
#: How a sentence names a score of each readout.
PHRASES = {"probe": "by the probe", "5 neighbours": "by nearest neighbours", "20 labels": "with 20 labels a class"}


def report(folder: Path) -> Report:
    """Make the report from ``readouts.csv`` and ``readouts.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    tables = [
        mean_table(numbers, about),
        *(task_table(numbers, name) for name in readouts_of(numbers)),
        notes(about["notes"]),
    ]
    caption = CAPTION.format("; ".join(f"{name}, {words}" for name, words in WORDS.items()))
    return Report(TITLE, sentences(numbers, about), tables, {NAME: (partial(draw_readouts, numbers), caption)})


def models_of(numbers: pd.DataFrame) -> list[str]:
    """The models, in the order of the numbers."""
    return [str(model) for model in numbers["model"].unique()]


def readouts_of(numbers: pd.DataFrame) -> list[str]:
    """The readouts that were measured: no task of a small set may have 20 labels a class."""
    there = set(zip(numbers["measure"], numbers["count"]))
    return [name for name, readout in READOUTS.items() if readout in there]


def by_task(numbers: pd.DataFrame, readout: str) -> pd.DataFrame:
    """A readout's score of each model (rows) on each task that has it (columns), %, averaged over draws and seeds."""
    measure, count = READOUTS[readout]
    rows = numbers[(numbers["measure"] == measure) & (numbers["count"] == count)]
    means = rows.groupby(["model", "task"], sort=False)["accuracy"].mean().unstack("task")
    return means.loc[models_of(numbers), rows["task"].unique()]


def difference(numbers: pd.DataFrame, model: str, reference: str, readout: str) -> Estimate:
    """The mean over tasks of a model's score minus another's, points, with its 95 % interval.

    The interval of the probe is over the tested clips, that of 20 labels over the draws, which all models share. That
    of neighbours is over the tasks.
    """
    if readout == "probe":
        gap = Scores.of(numbers, model).minus(Scores.of(numbers, reference))
        return gap.mean(mean_over(gap.values))
    if readout == "5 neighbours":
        gaps = (by_task(numbers, readout).loc[model] - by_task(numbers, readout).loc[reference]).to_numpy(float)
    else:
        measure, count = READOUTS[readout]
        rows = numbers[(numbers["measure"] == measure) & (numbers["count"] == count)]
        draws = rows.groupby(["model", "draw", "task"])["accuracy"].mean().groupby(["model", "draw"]).mean()
        gaps = (draws[model] - draws[reference]).to_numpy(float)
    return resampled_mean(gaps)


def mean_table(numbers: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Means over the tasks, and differences from the first model, in Markdown."""
    (reference, *others), readouts = models_of(numbers), readouts_of(numbers)
    scores = {name: by_task(numbers, name) for name in readouts}
    rows: dict[str, list[str]] = {}
    for model in (reference, *others):
        means = [f"{scores[name].loc[model].mean():.1f}" for name in readouts]
        gaps = ["" if model == reference else str(difference(numbers, model, reference, name)) for name in readouts]
        rows[model] = [*means, *gaps]
    frame = pd.DataFrame.from_dict(
        rows, orient="index", columns=[*readouts, *(f"{name}, difference" for name in readouts)]
    )
    frame.index.name = "model"
    tasks = {name: list(of_readout.columns) for name, of_readout in scores.items()}
    fewer = [f"{listed(names)} ({name})" for name, names in tasks.items() if names != tasks["probe"]]
    over = f"Tasks with enough clips: {'; '.join(fewer)}. " if fewer else ""
    return (
        f"Means over {listed(tasks['probe'])}, %, and differences from `{reference}`, points, with 95 % intervals "
        f"(probe: over the tested clips; neighbours: over the tasks; 20 labels: over {about['draws']} draws of clips). "
        f"{INDEPENDENT} {over}{about['parts'].capitalize()} parts:\n\n"
        f"{frame_table(frame)}"
    )


def task_table(numbers: pd.DataFrame, readout: str) -> str:
    """A readout's scores by task, in Markdown."""
    scores = by_task(numbers, readout)
    frame = scores.rename(columns={name: TASKS[name].title for name in scores if name in TASKS})
    return f"{readout.capitalize()}: {WORDS[readout]}, %:\n\n{frame_table(frame.map('{:.1f}'.format))}"


def notes(of_models: Mapping[str, str]) -> str:
    """What a reader must know about each model, as a list in Markdown."""
    return "\n".join(f"- {model}: {note}" for model, note in of_models.items())


def sentences(numbers: pd.DataFrame, about: Mapping[str, Any]) -> list[str]:
    """How the other models differ from the first, and which is best by each readout."""
    reference, *others = models_of(numbers)
    texts, readouts = [], readouts_of(numbers)
    for model in others:
        gaps = [f"{difference(numbers, model, reference, name)} points {PHRASES[name]}" for name in readouts]
        texts.append(f"`{model}` differs from `{reference}` by {listed(gaps)}.")
    texts += [_best(numbers, name) for name in readouts]
    return [*texts, f"Numbers are of {about['parts']} parts; intervals are of 95 %."]


def _best(numbers: pd.DataFrame, readout: str) -> str:
    """Which model is best by a readout, and which others may be as good."""
    means = by_task(numbers, readout).mean(axis=1)
    best = str(means.idxmax())
    gaps = {model: difference(numbers, best, model, readout) for model in models_of(numbers) if model != best}
    level = [f"`{model}`" for model, gap in gaps.items() if np.isfinite(gap.low) and not gap.clear]
    score, phrase = f"({means.max():.1f} %)", PHRASES[readout].capitalize()
    if level:
        return f"{phrase}, `{best}` has the highest score {score}, with no clear difference from {listed(level)}."
    return f"{phrase}, `{best}` is best {score}."


def draw_readouts(numbers: pd.DataFrame) -> Figure:
    """A panel for each readout: a bar for each model, a point for each task."""
    models, readouts = models_of(numbers), readouts_of(numbers)
    colour = colours(models)
    figure = new_figure(3.0 * len(readouts), 1.2 + 0.32 * len(models))
    for axis, name in zip(figure.subplots(1, len(readouts), sharey=True, squeeze=False)[0], readouts):
        scores = by_task(numbers, name)
        axis.barh(models, scores.mean(axis=1), color=[colour[model] for model in models])
        for place, model in enumerate(models):
            axis.plot(scores.loc[model], [place] * scores.shape[1], ".", color="black", markersize=3, alpha=0.5)
        axis.set_title(name)
        axis.set_xlabel("%")
        axis.grid(axis="x", alpha=0.3)
    figure.axes[0].invert_yaxis()
    return figure
