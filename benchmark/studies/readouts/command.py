"""``python -m benchmark readouts``: models by a probe with all labels, by nearest neighbours and with few labels."""

from __future__ import annotations

from typing import Any

import click

from benchmark.probes.command import without_esc10_option
from benchmark.probes.plan import plan
from benchmark.studies.findings import save_numbers
from benchmark.studies.measures import about_measures, measured_models
from benchmark.studies.readouts.report import NAME, report
from benchmark.studies.study import few_label_options, show_report, study_options
from benchmark.studies.study_setup import Setup


@click.command(NAME)
@study_options()
@without_esc10_option
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts, to choose a network.")
@few_label_options(10)
def command(tasks: str, validation: bool, draws: int, max_test: int, **options: Any) -> None:
    """Compare models by a probe with all labels, by nearest neighbours, and with 20 labels a class.

    A probe with all labels flatters long embeddings, also those of random weights. Search and learning from a few
    labels depend more on the distances between embeddings. Differences are from the first model.

    Writes readouts.csv, readouts.json, readouts.md, readouts_findings.md and readouts.png.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, validation, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    numbers = measured_models(rows, planned, draws, max_test, setup)
    about = about_measures(rows, planned, validation, draws, max_test, setup)
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))
