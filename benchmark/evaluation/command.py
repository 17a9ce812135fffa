"""``python -m benchmark run``: from audio to scores by heareval's own probes, models by tasks."""

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
from benchmark.datasets.labelled_set import AUDIO_VARIABLE, CACHE_VARIABLE, use_cache
from benchmark.evaluation.cell import Cache, Cell
from benchmark.evaluation.output import Output
from benchmark.evaluation.scheduler import Result, run_cells
from benchmark.evaluation.settings import GRIDS, Settings, heareval_version
from benchmark.models.heareval_rows import ModelRow, model_rows
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import FORMER_SUITES, SUITES, find, prepare
from byola_hear.utils.quiet import native_messages_hidden


def named(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def prepare_tasks(
    names: list[str], tasks_dir: Path, sources: Path | None, progress: bool
) -> tuple[list[Prepared], dict[str, str]]:
    """Build or find tasks.

    Returns:
        Those that are there, and of the others why not.
    """
    tasks, missing = [], {}
    for name in names:
        try:
            tasks.append(prepare(name, tasks_dir, sources, progress))
        except (ValueError, OSError, RuntimeError, ModuleNotFoundError) as error:
            missing[name] = " ".join(str(error).split())
    return tasks, missing


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: children first."""

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
    "--tasks", metavar="NAME,…", help="Some tasks only, of any suite; a suite's name stands for all of its tasks."
)
@click.option(
    "--models",
    default="all",
    show_default=True,
    metavar="NAME|PATH|NAME=WEIGHTS,…",
    help="Rows: networks by name or checkpoint; baselines, NAME=WEIGHTS for weights of one's own (untrained=1 for "
    f"another seed): {', '.join(BASELINES)}; all for the three networks and every baseline.",
)
@click.option("--grid", type=click.Choice(GRIDS), default="default", show_default=True, help="heareval's grid.")
@click.option("--grid-points", type=click.IntRange(1), default=8, show_default=True, help="Points of it to try.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes, of one thread each.")
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Folder of labelled sets, NAME.tar each. Default: ${AUDIO_VARIABLE}.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Tasks, embeddings and outcomes, safe to delete. Default: ${CACHE_VARIABLE}, else one in ~/.cache.",
)
@click.option("--keep-embeddings", is_flag=True, help="Leave embeddings in the cache, for another grid.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/hear"),
    show_default=True,
    metavar="FOLDER",
    help="Outcomes, scores.csv, run.json and the table.",
)
@click.option("--no-progress", is_flag=True, help="No bar on stderr.")
def run_command(
    suite: str,
    tasks: str | None,
    models: str,
    grid: str,
    grid_points: int,
    jobs: int,
    sources: Path | None,
    cache: Path | None,
    keep_embeddings: bool,
    output: Path,
    no_progress: bool,
) -> None:
    """Models by tasks under HEAR's own probes: heareval embeds, trains and scores.

    What was measured before is taken from the cache; a run that was stopped goes on where it was. A model that can't
    be had is a row that says how to get it, and what fails is a cell that names its log: neither stops the rest.

    Exit codes: 0; 1 if a cell failed or none could be measured; 2 if something that was asked for is wrong; 130 if
    interrupted.
    """
    if tasks is None and suite not in (*SUITES, *FORMER_SUITES):
        raise ValueError(f"expected a suite out of {', '.join(SUITES)}, got {suite!r}")
    if tasks is not None and not named(tasks):
        raise ValueError(f"expected at least one task, got --tasks {tasks!r}")
    names, settings = find(suite if tasks is None else named(tasks)), Settings(grid, grid_points)
    heareval_version()  # or one line that says how to get it
    folder = use_cache(cache)
    with native_messages_hidden():  # TFLite tells how it computes
        rows = model_rows(named(models))
    place = Output(output, settings)
    with terminated_as_interrupted():
        prepared, missing = prepare_tasks(names, folder / "tasks", sources, not no_progress)
        results = unavailable(rows, prepared, missing)
        for removed in place.drop_outdated(rows, prepared):
            click.echo(f"out of date, removed: {removed}", err=True)

        def finished(cell: Cell, result: Result, outcome: Outcome | None) -> None:
            if outcome is not None:
                place.add(outcome)
            else:
                result = place.without(result)
            results.append(result)

        cells = [Cell(row, task, settings) for row in rows if not row.missing for task in prepared]
        kept = Cache(folder / "run")
        complete = run_cells(cells, kept, jobs, keep_embeddings, finished, not no_progress)
    measured = {(result.model, result.task) for result in results}
    left = [cell for cell in cells if (cell.model.name, cell.task.name) not in measured]
    results += [Result(cell.model.name, cell.task.name, "not run", "interrupted") for cell in left]
    place.finish(rows, prepared, results)
    for line in told(results, kept, output):
        click.echo(line, err=True)
    if not complete:
        raise click.Abort
    if place.outcomes():
        compare_outcomes(output, folder / "tasks", not no_progress)
    statuses = {result.status for result in results}
    if "failed" in statuses or not statuses & {"done", "cached"}:
        raise click.exceptions.Exit(1)


def compare_outcomes(output: Path, tasks: Path, progress: bool) -> None:
    """Tables and page of what is in a run's folder; the page's maps are of the sounds in the folder of tasks."""
    from benchmark.comparison.command import write_comparison  # which needs more than a run does

    write_comparison(output, tasks, progress=progress)


def unavailable(rows: list[ModelRow], prepared: list[Prepared], missing: dict[str, str]) -> list[Result]:
    """Results of what can't be measured here: models that can't be had, tasks that can't be built."""
    names = [*(task.name for task in prepared), *missing]
    results = [Result(row.name, name, "unavailable", row.missing) for row in rows if row.missing for name in names]
    for row in rows:
        if not row.missing:
            results += [Result(row.name, name, "unavailable", why) for name, why in missing.items()]
    return results


def told(results: list[Result], cache: Cache, output: Path) -> list[str]:
    """What a reader of the terminal must know at the end."""
    lines, said = [], set()
    for result in results:
        if result.status == "failed":
            where = f" (see {output / result.log})" if result.log else ""
            lines.append(f"failed: {result.model} on {result.task}: {result.note}{where}")
        elif result.status == "unavailable" and result.note not in said:
            said.add(result.note)
            lines.append(f"unavailable: {result.model} on {result.task}: {result.note}")
    counts = {status: sum(result.status == status for result in results) for status in ("done", "cached", "failed")}
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    size = cache.size() / 1e6
    lines.append(f"{len(results)} cells: {counted}; {size:.0f} MB of embeddings are kept in {cache.folder}")
    return lines
