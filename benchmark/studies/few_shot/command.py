"""``python -m benchmark few-shot``: accuracy after one, five, eight or twenty labels a class."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.extractors import Extractor
from benchmark.probes import ridge
from benchmark.probes.command import tasks_option
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import Task, groups_of
from benchmark.reporting.command_line import command_line
from benchmark.studies.few_shot import draws as draws_module
from benchmark.studies.few_shot.draws import COUNTS, curve
from benchmark.studies.few_shot.report import NAME, report
from benchmark.studies.findings import save_numbers
from benchmark.studies.study import few_label_options, seconds_bar, show_report, study_options
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered


@click.command("few-shot")
@study_options()
@tasks_option
@few_label_options(20)
def command(tasks: str, draws: int, max_test: int, **options: Any) -> None:
    """Evaluate two probes with 1, 5, 8 and 20 labels a class, over draws that are the same for all models.

    Both probes learn from embeddings as they are and from standardised ones.

    Writes few_shot.csv, few_shot.json, few_shot.md, few_shot_findings.md and few_shot.png. The draws take a task's
    folds in turn: training clips are drawn from the fold's training part, and test clips from its test part.

    Exit codes: 0, or 2 if something that you named is not available.
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
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))


def _of_model(extractor: Extractor, planned: Plan, draws: int, max_test: int, setup: Setup) -> list[dict[str, Any]]:
    """All accuracies of a model; embeds only for tasks that are not in the cache."""
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
            [COUNTS, draws_module.PROBES],
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
