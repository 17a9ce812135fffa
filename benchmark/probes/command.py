"""``python -m benchmark probe``: a table of models by tasks."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.baselines import BASELINES
from benchmark.datasets.labelled_set import cache_folder
from benchmark.models.rows import models_by_row, rows_of
from benchmark.probes.plan import plan
from benchmark.probes.probe import run
from benchmark.probes.splits import CORE_TASKS, TASKS
from benchmark.probes.table import FORMATS, Row, caption_of, document_of, terminal_table, write
from benchmark.reporting import options
from benchmark.reporting.provenance import provenance
from byola_hear.utils.quiet import native_messages_hidden

tasks_option = click.option(
    "--tasks",
    default="core",
    show_default=True,
    metavar="NAME,…",
    help=f"Tasks: core ({', '.join(CORE_TASKS)}), all, or names out of {', '.join(TASKS)}.",
)


@click.command("probe")
@options.models(
    "Rows: networks by name or checkpoint; baselines, with your own weights as NAME=WEIGHTS: "
    f"{', '.join(BASELINES)}; all: the three networks and every baseline."
)
@options.audio
@tasks_option
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Also write {', '.join(FORMATS)}; can be given several times.",
)
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts, to choose a recipe.")
@click.option("--max-clips", type=click.IntRange(min=50), help="Largest number of clips of a task, for a quick look.")
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and the bootstrap.")
@options.untrained_seeds
@options.cache
@options.no_progress
def probe_command(
    models: str,
    audio: Path | None,
    tasks: str,
    outputs: tuple[Path, ...],
    validation: bool,
    max_clips: int | None,
    seed: int,
    untrained_seeds: int,
    cache: Path | None,
    no_progress: bool,
) -> None:
    """Evaluate clip embeddings with a linear probe: a ridge classifier on standardised embeddings, accuracy in %.

    A baseline whose package or weights are missing is a row without numbers that says how to get them.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    for output in outputs:
        if output.suffix not in FORMATS:
            raise ValueError(f"expected a result file that ends in {', '.join(FORMATS)}, got {output}")
        if not output.absolute().parent.is_dir():
            raise FileNotFoundError(f"no such folder: {output.absolute().parent}")
    models_by_row(models)  # report unknown names before sets are decoded
    planned = plan(tasks, audio, cache, validation, max_clips, seed, progress=not no_progress)
    with native_messages_hidden():  # of TFLite
        asked = rows_of(models, planned.training_clips, untrained_seeds)
    folder = cache_folder(cache)
    rows = [
        Row(row.name, "", [], seed, row.missing)
        if row.missing
        else Row(
            row.name,
            row.extractors[0].note,
            [run(planned, each, folder, not no_progress) for each in row.extractors],
            seed,
        )
        for row in asked
    ]
    about = {
        **provenance(),
        "parts": "validation" if validation else "test",
        "seed": seed,
        "max_clips": max_clips,
        "audio": {name: labelled.sha256 for name, labelled in planned.sets.items()},
        "extractors": {row.name: [each.identity for each in row.extractors] for row in asked},
    }
    document = document_of(rows, about)
    click.echo(terminal_table(document))
    click.echo(caption_of(document))
    for output in outputs:
        write(output, rows, about)
        click.echo(f"written: {output}", err=True)
