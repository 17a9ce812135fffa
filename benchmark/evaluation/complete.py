"""``python -m benchmark complete``: measure what is missing from a kept table, and write the table again."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from benchmark import RESULTS
from benchmark.comparison.archive import pack, unpack
from benchmark.comparison.command import keep_results
from benchmark.comparison.document import Document, read_document
from benchmark.comparison.joined import KEPT
from benchmark.comparison.outcome import save_outcome
from benchmark.datasets.labelled_set import use_cache
from benchmark.evaluation import options as heareval_options
from benchmark.evaluation.cell import Cache
from benchmark.evaluation.command import command as run
from benchmark.evaluation.command import named, prepare_tasks
from benchmark.evaluation.complete_checks import check_folder, check_rows, check_tasks, has_a_name, rows_to_measure
from benchmark.evaluation.settings import ProbeSettings, outcome_key
from benchmark.reporting import options
from benchmark.tasks.registry import SUITES


def outcomes_file(results: Path, suite: str) -> Path:
    """The kept outcomes of a suite."""
    return results / f"{suite}_outcomes.zip"


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
@click.option(
    "--measure-changed",
    is_flag=True,
    help="Measure tasks again whose clips or settings are not those of the kept table. Models that are not available "
    "lose their scores on them.",
)
@heareval_options.jobs
@heareval_options.sources
@options.cache
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of the run, with its page. Default: build/complete/SUITE.",
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
def command(
    context: click.Context,
    suite: str,
    models: str,
    measure_changed: bool,
    jobs: int,
    sources: Path | None,
    cache: Path | None,
    output: Path | None,
    results: Path,
    no_progress: bool,
) -> None:
    """Measure what is missing from the kept table of a suite, and write table, page and findings again.

    Missing are models without scores that are available now, models that you add, tasks that are new in the suite, and
    cells whose model has changed. Other outcomes are taken from SUITE_outcomes.zip, and cells without an outcome there
    from the kept table as they are. The settings are those of the kept table.

    Nothing is measured if a task of the suite is missing, or has changed and --measure-changed is not given. The kept
    tables stay as they are if a cell of an available model could not be measured.

    Exit codes: those of `run`.
    """
    kept = _kept(results, suite)
    settings = ProbeSettings(kept.about["settings"]["grid"], kept.about["settings"]["grid_points"])
    output = Path("build/complete", suite) if output is None else output
    check_folder(output, suite, settings)
    rows = rows_to_measure([row.name for row in kept.rows if has_a_name(row.name)], named(models))
    check_rows(kept, rows)
    folder = use_cache(cache)
    check_tasks(kept, *prepare_tasks(list(SUITES[suite]), folder / "tasks", sources, not no_progress), measure_changed)
    archive = outcomes_file(results, suite)
    if archive.is_file():
        count = seed_cache(archive, output, Cache(folder / "run"), settings)
        click.echo(f"{count} kept outcomes of {archive.name}", err=True)
    else:
        click.echo(f"no kept outcomes at {archive}: all cells are taken from the kept table as they are", err=True)
    shutil.copyfile(results / f"{suite}.json", output / KEPT)
    context.invoke(
        run,
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
    pack(output / "outcomes", archive, SUITES[suite])
    for path in (*written, archive, output / "page.html"):
        click.echo(f"written: {path}", err=True)


def _kept(results: Path, suite: str) -> Document:
    """The kept table of a suite."""
    path = results / f"{suite}.json"
    if not path.is_file():
        raise FileNotFoundError(f"expected the kept table of the suite {suite} at {path}, found no file")
    return read_document(path)
