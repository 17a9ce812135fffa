"""``python -m benchmark complete``: measure what is missing from a kept table, and write the table again."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

import byola_hear
from benchmark import RESULTS
from benchmark.baselines import BASELINES, UNTRAINED
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
from benchmark.evaluation.output import Output
from benchmark.evaluation.settings import ProbeSettings, outcome_key
from benchmark.models.loading import ModelName
from benchmark.models.rows import models_by_row
from benchmark.reporting import options
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import SUITES


def outcomes_file(results: Path, suite: str) -> Path:
    """The kept outcomes of a suite."""
    return results / f"{suite}_outcomes.zip"


def rows_to_measure(kept: list[str], asked: list[str]) -> list[str]:
    """Names of the models of a completed table: those of the kept one, and those that are asked for.

    A baseline that is asked for with weights replaces the row of its default weights. An untrained network of another
    seed does not: the findings compare with the row ``untrained``.

    Args:
        kept: the rows of the kept table.
        asked: names of models, as ``--models`` of a run takes them.

    Example:
        >>> rows_to_measure(["both", "vggish", "wav2vec2"], ["wav2vec2=FOLDER", "logmel"])
        ['both', 'vggish', 'wav2vec2=FOLDER', 'logmel']
        >>> rows_to_measure(["both", "untrained"], ["untrained=1"])
        ['both', 'untrained', 'untrained=1']
    """
    with_weights = {ModelName.of(name).baseline: name for name in asked if "=" in name and not _is_seed(name)}
    rows = [with_weights.get(name, name) for name in kept]
    return list(dict.fromkeys([*rows, *asked]))


def check_tasks(kept: Document, prepared: list[Prepared], missing: dict[str, str], changed: bool = False) -> None:
    """Check that a completed table can keep the columns of the kept one.

    Args:
        kept: the kept table.
        prepared: the tasks of its suite.
        missing: reasons why other tasks of the suite can't be prepared, by name.
        changed: whether tasks may differ from those of the kept table.

    Raises:
        ValueError: if a task can't be prepared, or differs.
    """
    if missing:
        reasons = "; ".join(f"{name}: {why}" for name, why in missing.items())
        raise ValueError(f"expected every task of the suite {kept.suite}, {len(missing)} can't be prepared: {reasons}")
    hashes = {column.name: column.sha256 for column in kept.columns if column.metric}
    others = [task.name for task in prepared if hashes.get(task.name, task.sha256) != task.sha256]
    if others and not changed:
        raise ValueError(
            f"expected the clips and settings of the kept table, got others in {', '.join(others)}; --measure-changed "
            "measures these tasks again for all models"
        )


def check_folder(output: Path, suite: str, settings: ProbeSettings) -> None:
    """Check that a folder is new or has a run of a suite, so that its tables are of that suite.

    Args:
        output: the folder; created if necessary.
        suite: the suite.
        settings: settings of the probes.

    Raises:
        ValueError: if it has a run of other tasks or settings, or files that the benchmark did not write.
    """
    others = [name for name in Output(output, settings).tasks() if name not in SUITES[suite]]
    if others:
        raise ValueError(
            f"expected a new folder or one of the suite {suite}, found a run of {', '.join(others)} in {output}; "
            "choose another folder"
        )


def check_rows(kept: Document, rows: list[str]) -> None:
    """Check that no model with scores is left out of a completed table because nothing says where its weights are.

    Args:
        kept: the kept table.
        rows: names of the models of the completed table.

    Raises:
        ValueError: if one is left out.
    """
    found = models_by_row(rows)
    lost = [row.name for row in kept.rows if row.cells and not _has_a_name(row.name) and row.name not in found]
    if lost:
        again = [f"{name.partition('=')[0]}=WEIGHTS" if "=" in name else f"FOLDER/{name}.safetensors" for name in lost]
        raise ValueError(
            f"expected the weights of {', '.join(lost)}, which the kept table has; name them again: "
            f"--models {','.join(again)}"
        )


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
    rows = rows_to_measure([row.name for row in kept.rows if _has_a_name(row.name)], named(models))
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


def _has_a_name(row: str) -> bool:
    """Whether the name of a row is enough to load its model. That of a checkpoint, or of a baseline with other weights
    than the default, ``NAME=WEIGHTS``, is not.
    """
    return row in (*byola_hear.list_models(), *BASELINES) or _is_seed(row)


def _is_seed(name: str) -> bool:
    """Whether a name is that of an untrained network with its seed, such as ``untrained=1``."""
    return ModelName.of(name).baseline in UNTRAINED and "=" in name
