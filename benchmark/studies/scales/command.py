"""``python -m benchmark scales``: probes of embeddings as they are and of standardised embeddings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
import pandas as pd

from benchmark.models.extractors import Extractor
from benchmark.probes import ridge
from benchmark.probes.command import tasks_option
from benchmark.probes.plan import Plan, plan
from benchmark.probes.probe import probe
from benchmark.probes.splits import Task
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers
from benchmark.studies.scales.changes import KINDS
from benchmark.studies.scales.report import NAME, report
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, features_of, key_of, remembered

#: Raise it when a change to this module changes an accuracy: cached results are then out of date.
MEASUREMENT_VERSION = 1


@click.command("scales")
@study_options()
@tasks_option
def command(tasks: str, **options: Any) -> None:
    """Compare a linear probe of embeddings as they are with the same probe of standardised embeddings.

    Writes scales.csv, scales.json, scales.md, scales_findings.md and scales.png. Both choose their regularisation
    without the test parts.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    found: list[dict[str, Any]] = []
    for row in rows:
        for number, extractor in enumerate(row.extractors):
            for task in planned.tasks:
                found += [
                    {"model": row.name, "seed": number, **each} for each in _of_task(extractor, planned, task, setup)
                ]
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: labelled.sha256 for name, labelled in planned.sets.items()},
    }
    save_numbers(setup.output, NAME, pd.DataFrame(found), about)
    show_report(setup.output, NAME, report(setup.output))


def _of_task(extractor: Extractor, planned: Plan, task: Task, setup: Setup) -> list[dict[str, Any]]:
    """Accuracies of a model on a task by kind of scales and fold; embeds only what is not in the cache."""
    labelled, folds = planned.sets[task.source], planned.folds[task.name]
    parts = [[part.tolist() for part in (fold.train, fold.choose, fold.test)] for fold in folds]
    versions = [MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION]
    key = key_of(extractor.identity, labelled.sha256, task.name, parts, list(KINDS), versions=versions)

    def compute() -> list[dict[str, Any]]:
        features = features_of(extractor, labelled, planned.rows[task.source], setup)
        found = []
        for kind in KINDS:
            result = asdict(probe(features, task, labelled, folds, standardise=kind == "standardised"))
            columns = ("fold_names", "accuracies", "counts", "strengths")
            found += [
                {
                    "task": task.name,
                    "scales": kind,
                    "fold": fold,
                    "accuracy": accuracy,
                    "clips": clips,
                    "strength": each,
                }
                for fold, accuracy, clips, each in zip(*(result[column] for column in columns))
            ]
        return found

    computed: list[dict[str, Any]] = remembered(setup.cache, NAME, key, compute)
    return computed
