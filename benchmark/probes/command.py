"""``python -m benchmark probe``: a table of models by tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from benchmark.baselines import BASELINES
from benchmark.datasets.labelled_set import cache_folder
from benchmark.models.rows import models_by_row, rows_of
from benchmark.probes.merge import check_audio, check_settings, merged, merged_csv
from benchmark.probes.plan import plan
from benchmark.probes.probe import run
from benchmark.probes.splits import CORE_TASKS, TASKS
from benchmark.probes.table import (
    FORMATS,
    Row,
    caption_of,
    csv_table,
    document_of,
    markdown_table,
    terminal_table,
    write,
)
from benchmark.reporting import options
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import provenance
from byola_hear.utils.files import write_file
from byola_hear.utils.quiet import native_messages_hidden

tasks_option = click.option(
    "--tasks",
    default="core",
    show_default=True,
    metavar="NAME,…",
    help=f"Tasks: core ({', '.join(CORE_TASKS)}), all, or names out of {', '.join(TASKS)}.",
)

#: For means over tasks, in which no clip should count twice: those of esc10 are also in esc50.
without_esc10_option = click.option(
    "--tasks",
    default=",".join(name for name in TASKS if name != "esc10"),
    metavar="NAME,…",
    help="Tasks: core, all, or names, as in `python -m benchmark probe`. Default: all but esc10, which esc50 contains.",
)


@click.command("probe")
@options.models(
    "Rows: networks by name or checkpoint, with @int8 or @bfloat16 in this precision; "
    "baselines, with your own weights as NAME=WEIGHTS: "
    f"{', '.join(BASELINES)}; all: all networks and baselines."
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
@click.option(
    "--add-to",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help="Add what is measured to this earlier result, and write it, its .csv and .md again.",
)
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts, to choose a recipe.")
@click.option("--max-clips", type=click.IntRange(min=50), help="Largest number of clips of a task, for a quick look.")
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and the bootstrap.")
@options.untrained_seeds
@options.cache
@options.no_progress
def command(
    models: str,
    audio: Path | None,
    tasks: str,
    outputs: tuple[Path, ...],
    add_to: Path | None,
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
    settings = {"parts": "validation" if validation else "test", "seed": seed, "max_clips": max_clips}
    if add_to is not None:
        check_settings(_earlier(add_to)[0], settings)
    models_by_row(models)  # report unknown names before sets are decoded
    planned = plan(tasks, audio, cache, validation, max_clips, seed, progress=not no_progress)
    hashes = {name: labelled.sha256 for name, labelled in planned.sets.items()}
    if add_to is not None:
        check_audio(_earlier(add_to)[0], hashes)
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
        "command": command_line(),
        **settings,
        "audio": hashes,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in asked},
    }
    document = document_of(rows, about)
    click.echo(terminal_table(document))
    click.echo(caption_of(document))
    for output in outputs:
        write(output, rows, about)
        click.echo(f"written: {output}", err=True)
    for output in () if add_to is None else write_merged(add_to, document, csv_table(rows)):
        click.echo(f"written: {output}", err=True)


def write_merged(path: Path, added: dict[str, Any], added_csv: str) -> list[Path]:
    """Add results to earlier ones and write ``FILE.json``, ``.csv`` and ``.md``.

    Args:
        path: the earlier ``FILE.json``, next to which is its ``.csv``.
        added: what was measured.
        added_csv: the same as CSV.

    Raises:
        ValueError: if the two can't be merged; nothing is written.
        FileNotFoundError: if there is no ``.csv``.
    """
    before, before_csv = _earlier(path)
    document, lines = merged(before, added), merged_csv(before_csv, added_csv)
    texts = {".json": json.dumps(document, indent=1) + "\n", ".csv": lines, ".md": markdown_table(document)}
    for suffix, text in texts.items():
        write_file(path.with_suffix(suffix), text)
    return [path.with_suffix(suffix) for suffix in texts]


def _earlier(path: Path) -> tuple[dict[str, Any], str]:
    """Read an earlier ``FILE.json`` and the text of its ``.csv``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON that `probe --output` wrote: {error}") from error
    if not isinstance(document, dict) or not {"about", "models"} <= document.keys():
        raise ValueError(f"{path} is not a result of `probe`: expected an object with about and models")
    table = path.with_suffix(".csv")
    if not table.is_file():
        raise FileNotFoundError(f"no such file: {table}; --add-to needs it next to {path.name}")
    return document, table.read_text(encoding="utf-8")
