"""``python -m benchmark run``: evaluate models on tasks with heareval's own probes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from benchmark.baselines import BASELINES
from benchmark.comparison.outcome import Outcome
from benchmark.datasets.labelled_set import use_cache
from benchmark.evaluation import options as heareval_options
from benchmark.evaluation.cell import Cache, RunCell
from benchmark.evaluation.output import Output
from benchmark.evaluation.scheduler import Result, run_cells
from benchmark.evaluation.settings import ProbeSettings, heareval_version
from benchmark.models.heareval_rows import ModelRow, model_rows
from benchmark.reporting import options
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import FORMER_SUITES, SUITES, find, prepare
from byola_hear.utils.quiet import native_messages_hidden
from byola_hear.utils.text import one_line, quantity


def named(text: str) -> list[str]:
    """Split names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def prepare_tasks(
    names: list[str], tasks_dir: Path, sources: Path | None, progress: bool
) -> tuple[list[Prepared], dict[str, str]]:
    """Prepare tasks.

    Returns:
        The tasks, and for each one that can't be prepared the reason.
    """
    tasks, missing = [], {}
    for name in names:
        try:
            tasks.append(prepare(name, tasks_dir, sources, progress))
        except (ValueError, OSError, RuntimeError, ModuleNotFoundError) as error:
            missing[name] = one_line(error)
    return tasks, missing


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that child processes end, too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command("run")
@click.option("--suite", default="mini", show_default=True, help=f"Suite of tasks to run: {', '.join(SUITES)}.")
@click.option(
    "--tasks", metavar="NAME,…", help="Tasks to run instead of a suite; the name of a suite stands for all its tasks."
)
@click.option(
    "--models",
    default="all",
    show_default=True,
    metavar="NAME|PATH|NAME=WEIGHTS,…",
    help="Models to evaluate: networks by name, paths of checkpoints, or baselines. NAME=WEIGHTS selects other weights "
    f"of a baseline, and untrained=1 another seed. Baselines: {', '.join(BASELINES)}. all: all networks and baselines.",
)
@heareval_options.grid
@heareval_options.grid_points(8)
@heareval_options.jobs
@heareval_options.sources
@options.cache
@click.option(
    "--standardise", is_flag=True, help="Standardise embeddings by the training part of each fit: the twin of a table."
)
@click.option("--keep-embeddings", is_flag=True, help="Keep embeddings in the cache, for another grid.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/hear"),
    show_default=True,
    metavar="FOLDER",
    help="Folder to write outcomes, scores.csv, run.json and the table to.",
)
@options.no_progress
def command(
    suite: str,
    tasks: str | None,
    models: str,
    grid: str,
    grid_points: int,
    jobs: int,
    sources: Path | None,
    cache: Path | None,
    standardise: bool,
    keep_embeddings: bool,
    output: Path,
    no_progress: bool,
) -> None:
    """Evaluate models on tasks with HEAR's own probes: heareval embeds, trains and scores.

    Results are cached, so an interrupted run continues where it stopped. A model that is not available is a row that
    says how to get it. A failed cell is marked in the table and points to its log. Neither stops the run.

    Exit codes: 0: success; 1: a cell failed, or no cell could be measured; 2: invalid input; 130: interrupted.
    """
    if tasks is None and suite not in (*SUITES, *FORMER_SUITES):
        raise ValueError(f"expected a suite out of {', '.join(SUITES)}, got {suite!r}")
    if tasks is not None and not named(tasks):
        raise ValueError(f"expected at least one task, got --tasks {tasks!r}")
    names, settings = find(suite if tasks is None else named(tasks)), ProbeSettings(grid, grid_points, standardise)
    heareval_version()  # raises an error that says how to get it
    folder = use_cache(cache)
    with native_messages_hidden():  # TFLite prints how it computes
        rows = model_rows(named(models))
    place = Output(output, settings)
    with terminated_as_interrupted():
        prepared, missing = prepare_tasks(names, folder / "tasks", sources, not no_progress)
        results = unavailable(rows, prepared, missing)
        for removed in place.drop_outdated(rows, prepared):
            click.echo(f"removed an outdated outcome: {removed}", err=True)

        def finished(cell: RunCell, result: Result, outcome: Outcome | None) -> None:
            if outcome is not None:
                place.add(outcome)
            else:
                result = place.without(result)
            results.append(result)

        taken = place.kept(rows, prepared)
        results += [Result(*name, "kept") for name in sorted(taken)]
        available = [RunCell(row, task, settings) for row in rows if not row.missing for task in prepared]
        cells = [cell for cell in available if (cell.model.name, cell.task.name) not in taken]
        cache_of_runs = Cache(folder / "run")
        complete = run_cells(cells, cache_of_runs, jobs, keep_embeddings, finished, not no_progress)
    measured = {(result.model, result.task) for result in results}
    left = [cell for cell in cells if (cell.model.name, cell.task.name) not in measured]
    results += [Result(cell.model.name, cell.task.name, "not run", "interrupted") for cell in left]
    place.finish(rows, prepared, results)
    for line in summary_lines(results, cache_of_runs, output):
        click.echo(line, err=True)
    if not complete:
        raise click.Abort
    if place.outcomes() or taken:
        compare_outcomes(output, folder / "tasks", not no_progress)
    statuses = {result.status for result in results}
    if "failed" in statuses or not statuses & {"done", "cached", "kept"}:
        raise click.exceptions.Exit(1)


def compare_outcomes(output: Path, tasks: Path, progress: bool) -> None:
    """Write the tables and the page of a run's folder. The page's maps play sounds from the folder of tasks."""
    from benchmark.comparison.command import write_comparison  # imports more packages than a run needs

    write_comparison(output, tasks, progress=progress)


def unavailable(rows: list[ModelRow], prepared: list[Prepared], missing: dict[str, str]) -> list[Result]:
    """Results of cells that can't be measured because the model or the task is not available."""
    names = [*(task.name for task in prepared), *missing]
    results = [Result(row.name, name, "unavailable", row.missing) for row in rows if row.missing for name in names]
    for row in rows:
        if not row.missing:
            results += [Result(row.name, name, "unavailable", why) for name, why in missing.items()]
    return results


def summary_lines(results: list[Result], cache: Cache, output: Path) -> list[str]:
    """The summary that is printed at the end of a run."""
    lines, reasons = [], set()
    for result in results:
        if result.status == "failed":
            where = f" (see {output / result.log})" if result.log else ""
            lines.append(f"failed: {result.model} on {result.task}: {result.note}{where}")
        elif result.status == "unavailable" and result.note not in reasons:
            reasons.add(result.note)
            lines.append(f"unavailable: {result.model} on {result.task}: {result.note}")
    of = ("done", "cached", *(["kept"] if any(result.status == "kept" for result in results) else []), "failed")
    counts = {status: sum(result.status == status for result in results) for status in of}
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    size = cache.size() / 1e6
    lines.append(f"{quantity(len(results), 'cell')}: {counted}; {size:.0f} MB of embeddings in {cache.folder}")
    return lines
