"""``python -m benchmark architectures``: the domain of the training data, for two kinds of encoders."""

from __future__ import annotations

from typing import Any

import click

import byola_hear
from benchmark.models.rows import models_by_row, shown
from benchmark.probes.command import without_esc10_option
from benchmark.probes.plan import plan
from benchmark.probes.splits import find_tasks
from benchmark.studies.architectures.report import DOMAINS, NAME, SPOKEN, report
from benchmark.studies.findings import save_numbers
from benchmark.studies.measures import about_measures, measured_models
from benchmark.studies.study import few_label_options, show_report, study_options
from benchmark.studies.study_setup import Setup


@click.command(NAME)
@study_options(
    models="both,speech,nonspeech,untrained,"
    "transformer-both,transformer-speech,transformer-nonspeech,untrained_transformer"
)
@without_esc10_option
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts.")
@few_label_options(10)
def command(tasks: str, validation: bool, draws: int, max_test: int, **options: Any) -> None:
    """Compare how far the domain of the training data matters for convolutional networks and for transformers.

    Name three networks of each kind and their untrained ones. The three of a kind are called both, speech and
    nonspeech, after a prefix that is empty for convolutional networks and transformer- for transformers.

    Writes architectures.csv, architectures.json, architectures.md, architectures_findings.md and architectures.png.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    check_domains(tasks)
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, validation, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    numbers = measured_models(rows, planned, draws, max_test, setup)
    about = {**about_measures(rows, planned, validation, draws, max_test, setup), "training": training_of(setup.models)}
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))


def check_domains(tasks: str) -> None:
    """Check that tasks are of every domain that is compared.

    Args:
        tasks: as for ``--tasks``.

    Raises:
        ValueError: if a domain has none, or a task does not exist.
    """
    found = {task.name: task.domain for task in find_tasks(tasks)}
    if lacking := [SPOKEN[domain] for domain in DOMAINS if domain not in found.values()]:
        raise ValueError(f"expected tasks of both domains, got no {lacking[0]} task in {', '.join(found)}")


def training_of(models: str) -> dict[str, dict[str, Any]]:
    """How the networks among some models were trained: hours of audio, crops, the recipe and the number of parameters.

    A network that the package did not train, such as one of BYOL-A's authors, has the number of parameters alone.

    Args:
        models: as for ``--models``.
    """
    found = {}
    for row, name in models_by_row(models).items():
        if not name.baseline:
            model = byola_hear.load_model(name.weights)
            facts = ("hours", "crops", "recipe")
            kept = {key: model.config.training[key] for key in facts if model.config.training.keys() >= set(facts)}
            parameters = sum(each.numel() for each in model.parameters())
            found[shown(row)] = {**kept, "parameters": parameters}
    return found
