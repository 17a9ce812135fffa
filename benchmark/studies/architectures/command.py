"""``python -m benchmark architectures``: the domain of the training data, for two kinds of encoders."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
import pandas as pd

import byola_hear
from benchmark.models.extractors import Extractor
from benchmark.models.rows import models_by_row
from benchmark.probes import ridge
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import TASKS, Task
from benchmark.reporting.command_line import command_line
from benchmark.studies.architectures.report import NAME, report
from benchmark.studies.dimensions import measures
from benchmark.studies.dimensions.measures import measured
from benchmark.studies.few_shot import draws as draws_module
from benchmark.studies.findings import save_numbers
from benchmark.studies.study import few_label_options, seconds_bar, show_report, study_options
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered

#: All tasks of the probe but one, whose clips are also in esc50.
DEFAULT_TASKS = ",".join(name for name in TASKS if name != "esc10")


@click.command(NAME)
@study_options(models="both,speech,nonspeech,untrained,untrained_transformer")
@click.option(
    "--tasks",
    default=DEFAULT_TASKS,
    metavar="NAME,…",
    help="Tasks: core, all, or names, as in `python -m benchmark probe`. Default: all but esc10.",
)
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts.")
@few_label_options(10)
def architectures_command(tasks: str, validation: bool, draws: int, max_test: int, **options: Any) -> None:
    """Compare how far the domain of the training data matters for convolutional networks and for transformers.

    Name three networks of each kind and their untrained ones. The three of a kind are called both, speech and
    nonspeech, after a prefix that is empty for convolutional networks and transformer- for transformers.

    Writes architectures.csv, architectures.json, architectures.md, architectures_findings.md and architectures.png.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, validation, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    found: list[dict[str, Any]] = []
    for row in rows:
        for seed, extractor in enumerate(row.extractors):
            for task in planned.tasks:
                about = {"model": row.name.removeprefix("byola-"), "seed": seed, "domain": task.domain}
                found += [{**about, **each} for each in _of_task(extractor, task, planned, draws, max_test, setup)]
    save_numbers(
        setup.output,
        NAME,
        pd.DataFrame(found),
        {
            "command": command_line(),
            "parts": "validation" if validation else "test",
            "seed": setup.seed,
            "draws": draws,
            "max_test": max_test,
            "training": training_of(setup.models),
            "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
            "audio": {name: labelled.sha256 for name, labelled in planned.sets.items()},
        },
    )
    show_report(setup.output, NAME, report(setup.output))


def training_of(models: str) -> dict[str, dict[str, Any]]:
    """How the networks among some models were trained: hours of audio, crops, the recipe and the number of parameters.

    Args:
        models: as for ``--models``.
    """
    found = {}
    for row, name in models_by_row(models).items():
        if not name.baseline:
            model = byola_hear.load_model(name.weights)
            kept = {key: model.config.training[key] for key in ("hours", "crops", "recipe")}
            parameters = sum(each.numel() for each in model.parameters())
            found[row.removeprefix("byola-")] = {**kept, "parameters": parameters}
    return found


def _of_task(
    extractor: Extractor, task: Task, planned: Plan, draws: int, max_test: int, setup: Setup
) -> list[dict[str, Any]]:
    """All numbers of a model on a task; embeds only if they are not in the cache."""
    labelled, folds = planned.sets[task.source], planned.folds[task.name]
    parts = [[part.tolist() for part in (fold.train, fold.test)] for fold in folds]
    versions = [measures.MEASUREMENT_VERSION, draws_module.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION]
    settings = (labelled.sha256, task.name, parts, draws, max_test, setup.seed)

    def compute() -> list[dict[str, Any]]:
        rows = planned.rows[task.source]
        seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
        with seconds_bar(f"{extractor.row}: {task.name}", seconds, setup.progress) as bar:
            part = embedded(extractor, labelled, rows, setup.cache, bar)
        features = np.zeros((len(labelled), part.shape[1]), np.float32)
        features[rows] = part
        found = measured(features, task, labelled, folds, draws, max_test, setup.seed)
        return [{"task": task.name, **each} for each in found]

    return remembered(setup.cache, NAME, key_of(extractor.identity, *settings, versions=versions), compute)
