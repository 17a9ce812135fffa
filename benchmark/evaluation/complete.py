"""``python -m benchmark complete``: measure what is missing from a kept table, and write the table again."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from benchmark.baselines import BASELINES
from benchmark.comparison.archive import pack, unpack
from benchmark.comparison.command import keep_results
from benchmark.comparison.document import read_document
from benchmark.comparison.joined import KEPT
from benchmark.comparison.outcome import save_outcome
from benchmark.datasets.labelled_set import use_cache
from benchmark.evaluation import options as heareval_options
from benchmark.evaluation.cell import Cache
from benchmark.evaluation.command import named, run_command
from benchmark.evaluation.settings import ProbeSettings, outcome_key
from benchmark.models.loading import ModelName
from benchmark.reporting import options
from benchmark.reporting.options import RESULTS
from benchmark.tasks.registry import SUITES


def outcomes_file(results: Path, suite: str) -> Path:
    """The kept outcomes of a suite."""
    return results / f"{suite}_outcomes.zip"


def rows_to_measure(kept: list[str], asked: list[str]) -> list[str]:
    """Names of the models of a completed table: those of the kept one, and those that are asked for.

    A baseline that is asked for with weights replaces the row of its default weights.

    Args:
        kept: the rows of the kept table.
        asked: names of models, as ``--models`` of a run takes them.

    Example:
        >>> rows_to_measure(["both", "vggish", "wav2vec2"], ["wav2vec2=FOLDER", "logmel"])
        ['both', 'vggish', 'wav2vec2=FOLDER', 'logmel']
    """
    with_weights = {ModelName.of(name).baseline: name for name in asked if "=" in name}
    rows = [with_weights.get(name, name) for name in kept]
    return list(dict.fromkeys([*rows, *asked]))


def seed_cache(archive: Path, output: Path, cache: Cache, settings: ProbeSettings) -> int:
    """Give a run the kept outcomes, so that it measures no cell again that they hold.

    Args:
        archive: the kept outcomes.
        output: the run's folder.
        cache: the run's cache.
        settings: settings of the probes.

    Returns:
        Number of outcomes.
    """
    outcomes = unpack(archive, output / "outcomes")
    for outcome in outcomes:
        key = outcome_key(outcome.task_sha256, outcome.model_identity, settings)
        path = cache.folder / "outcomes" / f"{key}.npz"
        if not path.is_file():
            save_outcome(path, outcome)
    return len(outcomes)


@click.command("complete")
@click.option(
    "--suite",
    type=click.Choice(tuple(SUITES)),
    default="public",
    show_default=True,
    help="Suite whose kept table is completed.",
)
@click.option(
    "--models",
    default="",
    metavar="NAME|PATH|NAME=WEIGHTS,…",
    help="Models to add to those of the table. NAME=WEIGHTS replaces the row of a baseline's default weights: "
    "wav2vec2=FOLDER, vggish=FILE.",
)
@heareval_options.jobs
@heareval_options.sources
@options.cache
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/complete"),
    show_default=True,
    metavar="FOLDER",
    help="Folder of the run, with its page.",
)
@click.option(
    "--results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=RESULTS,
    metavar="FOLDER",
    help="Folder of the kept tables, which are written again. Default: benchmark/results.",
)
@options.no_progress
@click.pass_context
def complete_command(
    context: click.Context,
    suite: str,
    models: str,
    jobs: int,
    sources: Path | None,
    cache: Path | None,
    output: Path,
    results: Path,
    no_progress: bool,
) -> None:
    """Measure what is missing from the kept table of a suite, and write table, page and findings again.

    Missing are models without scores that are available now, models that you add, tasks that are new in the suite, and
    cells whose model or task has changed. Other outcomes are taken from SUITE_outcomes.zip, and cells without an
    outcome there from the kept table as they are. The settings are those of the kept table.

    Exit codes: as of `run`; nothing is written to the folder of the kept tables unless every cell could be measured or
    is of a model that is not available.
    """
    kept, settings = _kept(results, suite)
    rows = rows_to_measure(kept, named(models))
    folder = use_cache(cache)
    archive = outcomes_file(results, suite)
    if archive.is_file():
        count = seed_cache(archive, output, Cache(folder / "run"), settings)
        click.echo(f"{count} kept outcomes of {archive.name}", err=True)
    else:
        click.echo(f"no kept outcomes at {archive}: all cells are taken from the kept table as they are", err=True)
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(results / f"{suite}.json", output / KEPT)
    context.invoke(
        run_command,
        suite=suite,
        tasks=None,
        models=",".join(rows),
        grid=settings.grid,
        grid_points=settings.grid_points,
        jobs=jobs,
        sources=sources,
        cache=folder,
        keep_embeddings=False,
        output=output,
        no_progress=no_progress,
    )
    written = keep_results(output, results)
    pack(output / "outcomes", archive)
    for path in (*written, archive, output / "page.html"):
        click.echo(f"written: {path}", err=True)


def _kept(results: Path, suite: str) -> tuple[list[str], ProbeSettings]:
    """The rows of a kept table, except baselines with other weights than the default, and its settings."""
    path = results / f"{suite}.json"
    if not path.is_file():
        raise FileNotFoundError(f"expected the kept table of the suite {suite} at {path}, found no file")
    document = read_document(path)
    settings = document.about["settings"]
    rows = [row.name for row in document.rows]
    kept = [name for name in rows if "=" not in name or name.partition("=")[0] not in BASELINES]
    return kept, ProbeSettings(settings["grid"], settings["grid_points"])
