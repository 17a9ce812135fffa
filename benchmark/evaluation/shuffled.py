"""``python -m benchmark shuffled``: check that heareval's score is at chance level for shuffled labels.

Labels are shuffled within each split. A leak of test labels into the training, or of the order of files into the
scores, would show as a higher score.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import click
import numpy as np
from scipy import stats

from benchmark.comparison.outcome import Outcome
from benchmark.datasets.labelled_set import SAMPLE_RATE, use_cache
from benchmark.evaluation.cell import Cache, RunCell, measure
from benchmark.evaluation.check_task import check_options, check_task, described
from benchmark.evaluation.processes import Failed, Processes
from benchmark.evaluation.settings import ProbeSettings, heareval_version
from benchmark.models.heareval_rows import model_row
from benchmark.tasks.layout import Prepared
from byola_hear.utils.text import quantity

#: Level of the interval around chance.
LEVEL = 0.99


def shuffle_labels(task: Prepared, folder: Path, seed: int) -> Prepared:
    """Copy a task and shuffle the labels of each split. The audio is linked, not copied.

    Args:
        task: the task.
        folder: the folder of the new task, which gets its name; replaced if it exists.
        seed: seed of the shuffling.

    Returns:
        The new task.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(task.folder / str(SAMPLE_RATE), folder / str(SAMPLE_RATE), copy_function=_link)
    shutil.copyfile(task.folder / "labelvocabulary.csv", folder / "labelvocabulary.csv")
    (folder / "task_metadata.json").write_text(json.dumps({**task.metadata, "task_name": folder.name}, indent=1))
    random = np.random.default_rng(seed)
    for split in task.metadata["splits"]:
        truth = json.loads((task.folder / f"{split}.json").read_text(encoding="utf-8"))
        labels = list(truth.values())
        dealt = {name: labels[place] for name, place in zip(truth, random.permutation(len(labels)))}
        (folder / f"{split}.json").write_text(json.dumps(dealt))
    return described(folder, f"{task.title}, shuffled labels", task.description)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def chance(outcome: Outcome) -> tuple[float, float, float]:
    """The accuracy of predictions that are independent of the labels, but as frequent as those of the outcome.

    Args:
        outcome: outcome of a task with one label for each file.

    Returns:
        Mean, and lower and upper limit of its binomial interval at ``LEVEL``, over all tested files.
    """
    hits = 0.0
    for fold in range(len(outcome.folds)):
        tested = outcome.fold_of == fold
        true, guessed = (
            np.bincount(values[tested], minlength=len(outcome.labels)) for values in (outcome.target, outcome.predicted)
        )
        hits += float(true @ guessed) / tested.sum()
    n = len(outcome.files)
    low, high = stats.binom.interval(LEVEL, n, hits / n)
    return hits / n, float(low) / n, float(high) / n


@click.command("shuffled")
@check_options
@click.option("--seed", default=0, show_default=True, help="Seed of the shuffling.")
def command(
    task: str | None, model: str, grid: str, grid_points: int, seed: int, sources: Path | None, cache: Path | None
) -> None:
    """Check that heareval's score is at chance level for shuffled labels.

    Exit codes: 0 if the score lies within the 99 % binomial interval around chance; 1 if not; 2 for invalid input.
    """
    heareval_version()
    row = model_row(model)
    folder = use_cache(cache)
    original = check_task(task, folder / "tasks", sources, True)
    prepared = shuffle_labels(original, folder / "shuffled" / f"{original.name}_shuffled_{seed}", seed)
    cell, kept, processes = RunCell(row, prepared, ProbeSettings(grid, grid_points)), Cache(folder / "run"), Processes()
    try:
        outcome = measure(cell, kept, processes)
    except Failed as error:
        raise ValueError(f"{error} (see {kept.log(cell)})") from error
    except BaseException:
        processes.stop()
        raise
    score = float(outcome.counts[:, 0].mean())
    mean, low, high = chance(outcome)
    tested = quantity(len(outcome.files), "file")
    click.echo(f"{row.name} on {original.name}, labels shuffled within each split, {tested} tested")
    click.echo(f"heareval, {grid} grid, {grid_points} points: {100 * score:.1f} %")
    click.echo(f"chance: {100 * mean:.1f} %, {LEVEL:.0%} interval [{100 * low:.1f}, {100 * high:.1f}]")
    inside = low <= score <= high
    click.echo("the score is at chance level" if inside else "the score is not at chance level")
    if not inside:
        raise click.exceptions.Exit(1)
