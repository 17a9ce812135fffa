"""``python -m benchmark dimensions``: what short vectors cost, from 64 dimensions to whole embeddings."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

import byola_hear
from benchmark.models.extractors import Extractor
from benchmark.models.loading import ModelName
from benchmark.models.rows import models_by_row
from benchmark.probes import ridge
from benchmark.probes.command import tasks_option
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import Task
from benchmark.studies import measures
from benchmark.studies.dimensions.report import NAME, report
from benchmark.studies.few_shot import draws as draws_module
from benchmark.studies.findings import save_numbers
from benchmark.studies.measures import about_measures, measured
from benchmark.studies.study import few_label_options, seconds_bar, show_report, study_options
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered
from byola_hear.models.directions import Directions, most_directions

#: Numbers of dimensions, as far as a network has directions for them; whole embeddings come last.
SIZES = (64, 128, 256, 512, 1024)


@click.command(NAME)
@study_options(models="both", baselines=False)
@tasks_option
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts, to choose directions.")
@few_label_options(10)
def command(tasks: str, validation: bool, draws: int, max_test: int, **options: Any) -> None:
    """Evaluate a probe, few labels and nearest neighbours with short vectors and with whole embeddings.

    Writes dimensions.csv, dimensions.json, dimensions.md, dimensions_findings.md and dimensions.png. Clips are embedded
    once for all sizes.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    directions = {row: directions_of(name) for row, name in models_by_row(setup.models).items()}
    planned = plan(tasks, setup.audio, setup.cache, validation, seed=setup.seed, progress=setup.progress)
    found: list[dict[str, Any]] = []
    rows = setup.rows(planned.training_clips)
    for row in rows:
        for extractor in row.extractors:
            for each in _of_model(extractor, directions[row.name], planned, draws, max_test, setup):
                found.append({"model": row.name, **each})
    about = about_measures(rows, planned, validation, draws, max_test, setup)
    about["directions"] = {name: each.origin for name, each in directions.items()}
    save_numbers(setup.output, NAME, pd.DataFrame(found), about)
    show_report(setup.output, NAME, report(setup.output))


def directions_of(name: ModelName) -> Directions:
    """All directions that are used of a network: as many as the largest of :data:`SIZES` that is short for it.

    Raises:
        FileNotFoundError: if it has none.
        ValueError: if it has too few, or the model is not a network.
    """
    if name.baseline:
        raise ValueError(f"expected networks, which have directions, got {name.row}")
    most = most_directions(byola_hear.load_model(name.weights).scene_embedding_size)
    directions = byola_hear.load_model(name.weights, dimensions=sizes_up_to(most)[-1]).directions
    assert directions is not None, "short vectors have directions"
    return directions


def sizes_up_to(most: int) -> tuple[int, ...]:
    """The numbers of dimensions that are measured of a network with ``most`` directions.

    Example:
        >>> sizes_up_to(576)
        (64, 128, 256, 512)
    """
    return tuple(size for size in SIZES if size <= most) or (most,)


def _of_model(
    extractor: Extractor, directions: Directions, planned: Plan, draws: int, max_test: int, setup: Setup
) -> list[dict[str, Any]]:
    """All numbers of a model; embeds only for tasks that are not in the cache."""
    found: list[dict[str, Any]] = []
    sizes = sizes_up_to(directions.count)
    for task in planned.tasks:
        labelled, folds = planned.sets[task.source], planned.folds[task.name]
        parts = [[part.tolist() for part in (fold.train, fold.test)] for fold in folds]
        versions = [measures.MEASUREMENT_VERSION, draws_module.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION]
        key = key_of(
            *(extractor.identity, directions.fingerprint(), labelled.sha256, task.name, parts),
            *(sizes, draws, max_test, setup.seed),
            versions=versions,
        )

        def compute(task: Task = task) -> list[dict[str, Any]]:
            labelled, rows = planned.sets[task.source], planned.rows[task.source]
            seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
            with seconds_bar(f"{extractor.row}: embed {task.source}", seconds, setup.progress) as bar:
                part = embedded(extractor, labelled, rows, setup.cache, bar)
            whole, numbers = part.shape[1], []
            bar = tqdm((*sizes, whole), f"{extractor.row}: {task.name}", disable=not setup.progress, leave=False)
            for size in bar:
                short = part if size == whole else directions.first(size)(torch.from_numpy(part)).numpy()
                features = np.zeros((len(labelled), size), np.float32)
                features[rows] = short
                for each in measured(features, task, labelled, planned.folds[task.name], draws, max_test, setup.seed):
                    numbers.append({"task": task.name, "dimensions": size, **each})
            return numbers

        found += remembered(setup.cache, NAME, key, compute)
    return found
