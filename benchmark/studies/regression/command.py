"""``python -m benchmark regression``: quantities predicted from embeddings."""

from __future__ import annotations

from typing import Any

import click

from benchmark.datasets.labelled_set import audio_folder
from benchmark.probes.plan import plan
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers
from benchmark.studies.regression.measurements import MEASUREMENTS, find_measurements
from benchmark.studies.regression.report import NAME, report
from benchmark.studies.regression.run import seconds_of, table_of
from benchmark.studies.study import seconds_bar, show_report, study_options
from benchmark.studies.study_setup import Setup


@click.command("regression")
@click.option(
    "--measurements",
    default="all",
    show_default=True,
    metavar="NAME,…",
    help=f"Quantities: all, or names out of {', '.join(MEASUREMENTS)}.",
)
@study_options()
def command(measurements: str, **options: Any) -> None:
    """Predict quantities from clip embeddings by ridge regression: pitch, level, speech to noise, number of speakers,
    age, dynamics.

    Validation is nested, and groups (speakers, notes, recordings) are never split. R² and mean absolute error have
    bootstrap intervals over groups. Finished parts are cached: a command that was stopped continues when run again.
    """
    setup = Setup.of(**options)
    sources = audio_folder(setup.audio)
    wanted = find_measurements(measurements)
    rows = setup.rows(lambda: plan("orchestral_notes", sources, setup.cache).training_clips())
    measured = [(each, each.examples(sources, setup.cache, setup.seed)) for each in wanted]
    seconds = sum(len(row.extractors) for row in rows) * sum(seconds_of(examples) for _, examples in measured)
    with seconds_bar(NAME, seconds, setup.progress) as bar:
        numbers = table_of({row.name: row.extractors for row in rows}, measured, setup.cache, setup.seed, bar)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "clips": {each.name: examples.clips.sha256 for each, examples in measured},
        "models": {row.name: [each.identity for each in row.extractors] for row in rows},
    }
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))
