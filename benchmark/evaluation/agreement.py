"""``python -m benchmark agree``: compare heareval's score of a small task with that of an independent probe.

The probe is scikit-learn's logistic regression on the same embeddings, standardised. It uses heareval's training files,
selects its regularisation on heareval's validation files and is tested on heareval's test files.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmark.comparison.intervals import Interval, bootstrap_scores, file_interval
from benchmark.comparison.metrics import metric
from benchmark.comparison.outcome import Outcome
from benchmark.datasets.labelled_set import use_cache
from benchmark.evaluation.cell import Cache, RunCell, embed, find_embeddings, measure
from benchmark.evaluation.check_task import check_options, check_task
from benchmark.evaluation.processes import Failed, Processes
from benchmark.evaluation.reading import files_in_order, tested_splits, vocabulary
from benchmark.evaluation.settings import ProbeSettings, heareval_version
from benchmark.models.heareval_rows import model_row
from byola_hear.utils.text import quantity

#: Inverse strengths of regularisation to select from.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

#: Embeddings ``(n_files, n_features)`` and indices of labels ``(n_files,)``.
Split = tuple[np.ndarray, np.ndarray]


def read_splits(folder: Path) -> dict[str, Split]:
    """Read the embeddings of a scene task that heareval wrote, and the labels from the task's own files.

    Args:
        folder: heareval's folder, ``EMBEDDINGS/MODEL/TASK``.

    Returns:
        Embeddings and labels of each split.
    """
    metadata = json.loads((folder / "task_metadata.json").read_text(encoding="utf-8"))
    index = {label: number for number, label in enumerate(vocabulary(folder))}
    splits = {}
    for split, files in files_in_order(folder, metadata).items():
        shape = json.loads((folder / f"{split}.embedding-dimensions.json").read_text())
        truth = json.loads((folder / f"{split}.json").read_text(encoding="utf-8"))
        embeddings = np.fromfile(folder / f"{split}.embeddings.npy", np.float32).reshape(shape)
        splits[split] = embeddings, np.array([index[str(truth[name][0])] for name in files])
    return splits


def independent_right(splits: dict[str, Split], metadata: dict[str, Any]) -> list[np.ndarray]:
    """Train and test the probe.

    Args:
        splits: see :func:`read_splits`.
        metadata: the task's metadata.

    Returns:
        For each tested split ``(n_files,)`` bool, whether the prediction is right.
    """
    right, folds = [], tested_splits(metadata)
    for number, test in enumerate(folds):
        valid = "valid" if folds == ["test"] else folds[(number + 1) % len(folds)]
        train = [splits[name] for name in metadata["splits"] if name not in (test, valid)]
        features, labels = np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train])
        fitted = [
            make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=300)).fit(features, labels)
            for strength in STRENGTHS
        ]
        best = max(fitted, key=lambda each: each.score(*splits[valid]))
        right.append(best.predict(splits[test][0]) == splits[test][1])
    return right


def interval(right: list[np.ndarray]) -> tuple[float, Interval]:
    """The accuracy, as mean of the folds, and its 95 % confidence interval over the tested files.

    Args:
        right: for each fold ``(n_files,)``, 1 where the prediction is right.

    Raises:
        ValueError: if there is no interval, because each fold is all right or all wrong, and folds differ.

    Example:
        >>> score, limits = interval([np.array([1.0] * 50 + [0.0] * 50)])
        >>> score, round(limits.low, 1), round(limits.high, 1)
        (0.5, 0.4, 0.6)
    """
    accuracy = metric("top1_acc")
    fold_of = np.concatenate([np.full(len(each), number) for number, each in enumerate(right)])
    ones = np.ones(len(fold_of))
    counts = np.stack([np.concatenate(right).astype(float), ones, ones], axis=1)
    draws = bootstrap_scores(accuracy, counts[:, None, :], fold_of, seed=0)[0]
    limits, by_fold = file_interval(accuracy, draws, counts), [float(each.mean()) for each in right]
    if limits is None:
        raise ValueError(f"expected right and wrong predictions within a fold, got accuracies {by_fold} by fold")
    return float(np.mean(by_fold)), limits


def right_of(outcome: Outcome) -> list[np.ndarray]:
    """For each fold ``(n_files,)``, 1 where the prediction of heareval's probe is right."""
    return [outcome.counts[outcome.fold_of == fold, 0] for fold in range(len(outcome.folds))]


@click.command("agree")
@check_options
def command(
    task: str | None, model: str, grid: str, grid_points: int, sources: Path | None, cache: Path | None
) -> None:
    """Compare heareval's score with that of an independent probe on the same embeddings.

    Exit codes: 0 if either score lies within the 95 % confidence interval of the other; 1 if not; 2 for invalid input.
    """
    heareval_version()
    row = model_row(model)
    folder = use_cache(cache)
    prepared = check_task(task, folder / "tasks", sources, True)
    cell, kept, processes = RunCell(row, prepared, ProbeSettings(grid, grid_points)), Cache(folder / "run"), Processes()
    there = find_embeddings(kept.embeddings(cell), prepared.name)
    try:
        outcome = measure(cell, kept, processes, keep_embeddings=True)
        with kept.held(cell):
            splits = read_splits(embed(cell, kept, processes, kept.log(cell)))
            if there is None:
                shutil.rmtree(kept.embeddings(cell))
    except Failed as error:
        raise ValueError(f"{error} (see {kept.log(cell)})") from error
    except BaseException:
        processes.stop()
        raise
    ours = interval(right_of(outcome))
    other = interval(independent_right(splits, prepared.metadata))
    click.echo(f"{row.name} on {prepared.name} ({prepared.description}), {quantity(len(outcome.files), 'file')} tested")
    for name, (score, limits) in ((f"heareval, {grid} grid, {grid_points} points", ours), ("scikit-learn", other)):
        click.echo(f"{name:36s} {100 * score:5.1f} %  [{100 * limits.low:5.1f}, {100 * limits.high:5.1f}]")
    agrees = ours[1].low <= other[0] <= ours[1].high or other[1].low <= ours[0] <= other[1].high
    click.echo("the scores agree" if agrees else "the scores do not agree")
    if not agrees:
        raise click.exceptions.Exit(1)
