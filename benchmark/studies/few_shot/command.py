"""``python -m benchmark few-shot``: accuracy after one, five or twenty labels a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.extractors import Extractor
from benchmark.probes import ridge
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import CORE_TASKS, TASKS, Task, groups_of
from benchmark.reporting.command_line import command_line
from benchmark.studies.few_shot import draws as draws_module
from benchmark.studies.few_shot.draws import COUNTS, PROBES, curve
from benchmark.studies.findings import frame_table, listed, read_about, read_numbers, save_findings, save_study
from benchmark.studies.study import colours, new_figure, seconds_bar, study_options
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "few_shot"
TITLE = "How few labels are enough"


@click.command("few-shot")
@study_options()
@click.option(
    "--tasks",
    default="core",
    show_default=True,
    metavar="NAME,…",
    help=f"core ({', '.join(CORE_TASKS)}), all, or out of {', '.join(TASKS)}.",
)
@click.option(
    "--draws", type=click.IntRange(2), default=20, show_default=True, help="Draws of the clips to learn from."
)
@click.option(
    "--max-test", type=click.IntRange(20), default=500, show_default=True, help="Tested clips of a draw at most."
)
def few_shot_command(tasks: str, draws: int, max_test: int, **options: Any) -> None:
    """Accuracy of two probes after 1, 5 and 20 labels a class, over draws that are the same for all models.

    Writes few_shot.csv, few_shot.json, few_shot.md, few_shot_findings.md and few_shot.png. A draw takes a task's
    folds in turn: it learns from the fold's training part and is tested on its test part, groups never split.

    Exit codes: 0, or 2 where something that was asked for can't be had.
    """
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    found: list[dict[str, Any]] = []
    for row in rows:
        for number, extractor in enumerate(row.extractors):
            for each in _of_model(extractor, planned, draws, max_test, setup):
                found.append({"model": row.name, "seed": number, **each})
    numbers = pd.DataFrame(found)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "draws": draws,
        "max_test": max_test,
        "counts": COUNTS,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: labelled.sha256 for name, labelled in planned.sets.items()},
    }
    save_study(setup.output, NAME, numbers, {NAME: draw_curves(numbers)}, about)
    caption = (
        "Accuracy, %, after 1, 5 and 20 labels a class: mean over the draws, which take the folds in turn, one "
        "standard deviation shaded."
    )
    save_findings(setup.output, NAME, TITLE, sentences(setup.output), [_table(numbers)], {NAME: caption})
    click.echo(_table(numbers))


def _of_model(extractor: Extractor, planned: Plan, draws: int, max_test: int, setup: Setup) -> list[dict[str, Any]]:
    """All accuracies of one extractor, embeddings only where a task was not finished before."""
    found: list[dict[str, Any]] = []
    for task in planned.tasks:
        labelled = planned.sets[task.source]
        parts = [[part.tolist() for part in (fold.train, fold.test)] for fold in planned.folds[task.name]]
        key = key_of(
            extractor.identity,
            labelled.sha256,
            task.name,
            parts,
            draws,
            max_test,
            setup.seed,
            COUNTS,
            versions=[draws_module.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION],
        )

        def compute(task: Task = task) -> list[dict[str, Any]]:
            labelled, rows = planned.sets[task.source], planned.rows[task.source]
            seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
            with seconds_bar(f"{extractor.row}: embed {task.source}", seconds, setup.progress) as bar:
                embeddings = embedded(extractor, labelled, rows, setup.cache, bar)
            features = np.zeros((len(labelled), embeddings.shape[1]), np.float32)
            features[rows] = embeddings
            labels, groups = labelled.manifest[task.label].to_numpy(str), groups_of(task, labelled.manifest)
            with tqdm(
                total=draws * len(COUNTS), desc=f"{extractor.row}: {task.name}", disable=not setup.progress, leave=False
            ) as bar:
                return curve(
                    features, labels, groups, planned.folds[task.name], task.name, draws, max_test, setup.seed, bar
                )

        found += remembered(setup.cache, NAME, key, compute)
    return found


def summary(numbers: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the draws, seeds of a row averaged first: columns ``model``, ``task``,
    ``probe``, ``count``, ``mean`` and ``spread``."""
    by_draw = numbers.groupby(["model", "task", "probe", "count", "draw"], sort=False)["accuracy"].mean().reset_index()
    grouped = by_draw.groupby(["model", "task", "probe", "count"], sort=False)["accuracy"]
    return grouped.agg(mean="mean", spread="std").reset_index()


def draw_curves(numbers: pd.DataFrame) -> Figure:
    """A panel for each task and probe, a line for each model."""
    table = summary(numbers)
    tasks, models = list(dict.fromkeys(table["task"])), list(dict.fromkeys(table["model"]))
    colour = colours(models)
    figure = new_figure(max(7.0, 2.5 * len(tasks)), 5.2)
    grid = figure.subplots(len(PROBES), len(tasks), sharex=True, sharey="col", squeeze=False)
    for number, (line, probe) in enumerate(zip(grid, PROBES)):
        for axis, task in zip(line, tasks):
            for model in models:
                rows = table[(table["task"] == task) & (table["probe"] == probe) & (table["model"] == model)]
                axis.plot(rows["count"], rows["mean"], marker="o", markersize=3, color=colour[model], label=model)
                low, high = rows["mean"] - rows["spread"], rows["mean"] + rows["spread"]
                axis.fill_between(rows["count"], low, high, color=colour[model], alpha=0.12, linewidth=0)
            axis.set_xscale("log")
            axis.set_xticks(COUNTS, [str(count) for count in COUNTS])
            axis.minorticks_off()
            axis.grid(alpha=0.3)
            if number == 0:
                axis.set_title(TASKS[task].title if task in TASKS else task)
            else:
                axis.set_xlabel("labels a class")
        line[0].set_ylabel(f"{probe}: accuracy, %")
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=min(6, len(models)), frameon=False, fontsize=8)
    return figure


def _complete(numbers: pd.DataFrame) -> list[str]:
    """Tasks that every number of labels was measured on, so that means over them can be compared."""
    counts = set(numbers["count"])
    return [str(task) for task, rows in numbers.groupby("task", sort=False) if set(rows["count"]) == counts]


def _means(numbers: pd.DataFrame) -> pd.DataFrame:
    """Mean over the complete tasks, a row a model and probe, a column a number of labels."""
    table = summary(numbers)
    chosen = table[table["task"].isin(_complete(numbers))]
    return chosen.pivot_table(index=["model", "probe"], columns="count", values="mean", aggfunc="mean", sort=False)


def _table(numbers: pd.DataFrame) -> str:
    means = _means(numbers)
    rows = means.map(lambda value: f"{value:.1f}")
    rows.index = pd.Index([f"{model}, {probe}" for model, probe in means.index], name="model, probe")
    rows.columns = [f"{count} a class" for count in rows.columns]
    over = listed(_complete(numbers))
    return f"Accuracy, %, mean over the draws and {over}:\n\n" + frame_table(rows)


def sentences(folder: Path) -> list[str]:
    """Three sentences on what was found, every number out of ``few_shot.csv`` in ``folder``.

    Raises:
        FileNotFoundError: if it is not there.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    means, table = _means(numbers), summary(numbers)
    model = numbers["model"].iloc[0]
    counts = [int(count) for count in means.columns]
    # One probe whatever they gave: the better of two by the accuracy that is reported would flatter.
    probe = "ridge"
    found = [
        f"With {listed([str(count) for count in counts])} labels a class, a {probe} probe on `{model}` is right for "
        f"{listed([f'{means.loc[(model, probe), count]:.1f} %' for count in counts])} of the clips, mean over "
        f"{len(_complete(numbers))} tasks and {about['draws']} draws."
    ]
    others = [name for name in dict.fromkeys(numbers["model"]) if name != model]
    if others:
        shown = [
            f"`{name}` {means.loc[(name, probe), counts[0]]:.1f} and {means.loc[(name, probe), counts[-1]]:.1f} %"
            for name in others
        ]
        found.append(f"The same probe with {counts[0]} and {counts[-1]}: {listed(shown)}.")
    one = table[(table["model"] == model) & (table["probe"] == probe) & (table["count"] == counts[0])]
    widest = one.loc[one["spread"].idxmax()]
    found.append(
        f"What the draw and its fold decide: with {counts[0]} a class, the standard deviation over draws, which take "
        f"the folds in turn, of the probe on `{model}` is {one['spread'].mean():.1f} points on average and up to "
        f"{widest['spread']:.1f} ({widest['task']})."
    )
    return found
