"""``python -m benchmark table``: a run's outcomes to tables and the page, again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import byola_hear
from benchmark.baselines import BASELINES, baseline
from benchmark.comparison.comparison import FIRST_ROWS, Comparison, compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.long_table import (
    ADVANTAGE_COLUMNS,
    LONG_COLUMNS,
    advantage_rows,
    csv_text,
    long_rows,
    parquet_bytes,
)
from benchmark.comparison.markdown import markdown_tables, short_markdown, terminal_table
from benchmark.comparison.summary import summary
from benchmark.datasets.labelled_set import CACHE_VARIABLE, cache_folder
from byola_hear.analysis.map import LAYOUTS
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import replacing


def tables_of(document: dict[str, Any]) -> dict[str, bytes]:
    """The tables' files by name, each whole, made of a summary and of nothing else."""
    return {
        "table.json": (json.dumps(document, indent=1) + "\n").encode(),
        "table.md": markdown_tables(document).encode(),
        "table.csv": csv_text(LONG_COLUMNS, long_rows(document)).encode(),
        "table.parquet": parquet_bytes(document),
        "advantage.csv": csv_text(ADVANTAGE_COLUMNS, advantage_rows(document)).encode(),
    }


def write_comparison(
    output: Path,
    tasks_dir: Path | None = None,
    *,
    maps: bool = True,
    layouts: Sequence[str] = ("pca",),
    sections: Sequence[Path] = (),
    seed: int = 0,
    progress: bool = False,
) -> list[Path]:
    """Write table.md, table.csv, table.parquet, table.json, advantage.csv and page.html beside a run's outcomes.

    Args:
        output: the run's folder.
        tasks_dir: the folder of its tasks, whose clips the page's maps show; the cache's if None. A task that is not
            there has no map.
        maps: whether the page has maps of embeddings.
        layouts: ways to lay them out.
        sections: Markdown files of further sections of the page, see :func:`benchmark.comparison.page.load_section`.
        seed: of the bootstrap and all else that is random.
        progress: show a bar on stderr.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: if it is no run's folder, or a section is not there.
        ValueError: if something in it can't be read.
    """
    from benchmark.comparison.page import load_section, page_bytes

    comparison = compare(load_run(output), seed)
    document = summary(comparison)
    files = tables_of(document)
    made = embedding_maps(comparison, output, tasks_dir, layouts, progress) if maps else {}
    files["page.html"] = page_bytes(comparison, document, made, [load_section(path) for path in sections])
    for name, content in files.items():
        with replacing(output / name) as file:
            file.write(content)
    return [output / name for name in files]


def embedding_maps(
    comparison: Comparison, output: Path, tasks_dir: Path | None, layouts: Sequence[str], progress: bool
) -> dict[str, Any]:
    """Maps of the tasks by the networks that the table's rows were measured with, kept in the run's folder."""
    from benchmark.comparison.page.maps import Maps

    models = measured_networks(comparison)
    tasks = {column.name: column.sha256 for column in comparison.columns if column.metric is not None}
    folder = tasks_dir if tasks_dir is not None else cache_folder() / "tasks"
    if not models:
        return {}
    return Maps(output / "maps", models, layouts, comparison.seed).make(folder, tasks, progress)


def measured_networks(comparison: Comparison) -> dict[str, ByolaModel]:
    """The project's networks by name, of those rows that were measured with the very weights that are here now."""
    here = [*byola_hear.list_models(), "untrained"]
    found = {}
    for name in FIRST_ROWS:
        identities = [outcome.model_identity for (row, _), outcome in comparison.outcomes.items() if row == name]
        if identities and name in here:
            model = baseline(name).load_model() if name in BASELINES else byola_hear.load_model(name)
            fingerprint = model.fingerprint()
            if all(fingerprint in identity for identity in identities):
                found[name] = model
    return found


def kept_files(document: dict[str, Any]) -> dict[str, bytes]:
    """The files that ``benchmark/results`` keeps of a run, by name, made of its summary and of nothing else."""
    made, suite = tables_of(document), document["suite"]
    full = f"[benchmark/results/{suite}.md](benchmark/results/{suite}.md)"
    return {
        **{f"{suite}{suffix}": made[f"table{suffix}"] for suffix in (".json", ".md", ".csv")},
        f"{suite}_short.md": short_markdown(document, full).encode(),
    }


def keep_results(output: Path, results: Path) -> list[Path]:
    """Keep a run's tables as ``results/SUITE.json``, ``.md`` and ``.csv``, and a short one for a README.

    Raises:
        FileNotFoundError: if there are no tables.
    """
    kept = kept_files(json.loads((output / "table.json").read_text(encoding="utf-8")))
    for name, content in kept.items():
        with replacing(results / name) as file:
            file.write(content)
    return [results / name for name in kept]


@click.command("table")
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Where the run's tasks are, for the page's maps. Default: ${CACHE_VARIABLE}, else one in ~/.cache.",
)
@click.option(
    "--layout",
    "layouts",
    multiple=True,
    type=click.Choice(LAYOUTS),
    default=("pca",),
    show_default=True,
    help="Of the maps; may be given several times.",
)
@click.option("--no-maps", is_flag=True, help="A page without maps of embeddings.")
@click.option(
    "--section",
    "sections",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A further section of the page: Markdown, its figures beside it. May be given several times.",
)
@click.option("--seed", default=0, show_default=True, help="Of the bootstrap and the permutations.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Also keep the tables as FOLDER/SUITE.json, .md and .csv, and a short one, as benchmark/results has them.",
)
@click.option("--no-progress", is_flag=True, help="No bar on stderr.")
def table_command(
    output: Path,
    cache: Path | None,
    layouts: tuple[str, ...],
    no_maps: bool,
    sections: tuple[Path, ...],
    seed: int,
    keep: Path | None,
    no_progress: bool,
) -> None:
    """The tables and the page of OUTPUT, the folder of `python -m benchmark run`, made again.

    Exit codes: 0, or 2 where OUTPUT is no such folder or something in it can't be read.
    """
    written = write_comparison(
        output,
        cache_folder(cache) / "tasks" if not no_maps else None,
        maps=not no_maps,
        layouts=layouts,
        sections=sections,
        seed=seed,
        progress=not no_progress,
    )
    if keep is not None:
        written += keep_results(output, keep)
    click.echo(terminal_table(json.loads((output / "table.json").read_text(encoding="utf-8"))))
    for path in written:
        click.echo(f"written: {path}", err=True)
