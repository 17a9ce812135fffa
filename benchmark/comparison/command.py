"""``python -m benchmark table``: make the tables and the page of a run from its outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import byola_hear
from benchmark.baselines import BASELINES, UNTRAINED, baseline
from benchmark.comparison.comparison import Comparison, compare
from benchmark.comparison.document import Document, read_document
from benchmark.comparison.folder import load_run
from benchmark.comparison.joined import KEPT, joined
from benchmark.comparison.long_table import (
    ADVANTAGE_COLUMNS,
    LONG_COLUMNS,
    advantage_rows,
    csv_text,
    long_rows,
    parquet_bytes,
)
from benchmark.comparison.markdown import markdown_tables, short_markdown, terminal_table
from benchmark.comparison.rows import FIRST_ROWS
from benchmark.comparison.summary import summary
from benchmark.datasets.labelled_set import CACHE_VARIABLE, cache_folder
from benchmark.reporting import options
from byola_hear.analysis.map import LAYOUTS
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import write_file


def tables_of(document: Document) -> dict[str, bytes]:
    """The contents of the tables' files by name, made from a summary alone."""
    return {
        "table.json": (json.dumps(document.as_json(), indent=1) + "\n").encode(),
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
    """Write table.md, table.csv, table.parquet, table.json, advantage.csv and page.html into a run's folder.

    If the run completes a kept table, these are of both.

    Args:
        output: the run's folder.
        tasks_dir: folder of its tasks, whose clips the page's maps show; the cache's if None. Tasks that are not there
            have no map.
        maps: whether the page has maps of embeddings.
        layouts: layouts of the maps.
        sections: Markdown files of additional sections, see :func:`benchmark.comparison.page.load_section`.
        seed: seed of everything random.
        progress: whether to show a progress bar on stderr.

    Returns:
        The files.

    Raises:
        FileNotFoundError: if ``output`` is not a run's folder, or a section does not exist.
        ValueError: if a file of the run cannot be read.
    """
    from benchmark.comparison.page import load_section, page_bytes

    comparison = compare(load_run(output), seed)
    kept = output / KEPT
    document = joined(read_document(kept), comparison) if kept.is_file() else summary(comparison)
    files = tables_of(document)
    made = embedding_maps(comparison, output, tasks_dir, layouts, progress) if maps else {}
    files["page.html"] = page_bytes(comparison, document, made, [load_section(path) for path in sections])
    for name, content in files.items():
        write_file(output / name, content)
    return [output / name for name in files]


def embedding_maps(
    comparison: Comparison, output: Path, tasks_dir: Path | None, layouts: Sequence[str], progress: bool
) -> dict[str, Any]:
    """Make maps of the tasks with the networks of the table's rows; the run's folder keeps them."""
    from benchmark.comparison.page.maps import Maps

    models = measured_networks(comparison)
    tasks = {column.name: column.sha256 for column in comparison.columns if column.metric is not None}
    folder = tasks_dir if tasks_dir is not None else cache_folder() / "tasks"
    if not models:
        return {}
    return Maps(output / "maps", models, layouts, comparison.seed).make(folder, tasks, progress)


def measured_networks(comparison: Comparison) -> dict[str, ByolaModel]:
    """The networks by name, of those rows that were measured with the weights that are installed now."""
    here = [*byola_hear.list_models(), *UNTRAINED]
    found = {}
    for name in FIRST_ROWS:
        identities = [outcome.model_identity for (row, _), outcome in comparison.outcomes.items() if row == name]
        if identities and name in here:
            model = baseline(name).load_model() if name in BASELINES else byola_hear.load_model(name)
            fingerprint = model.fingerprint()
            if all(fingerprint in identity for identity in identities):
                found[name] = model
    return found


def kept_files(document: Document) -> dict[str, bytes]:
    """The contents of the files in ``benchmark/results`` by name, made from a run's summary alone."""
    made = tables_of(document)
    suite = document.suite + ("_standardised" if document.settings.get("standardise") else "")
    full = f"[benchmark/results/{suite}.md](benchmark/results/{suite}.md)"
    return {
        **{f"{suite}{suffix}": made[f"table{suffix}"] for suffix in (".json", ".md", ".csv")},
        f"{suite}_short.md": short_markdown(document, full).encode(),
    }


def keep_results(output: Path, results: Path) -> list[Path]:
    """Copy a run's tables to ``results/SUITE.json``, ``.md`` and ``.csv``, with a short one for a README.

    Those of standardised embeddings are ``SUITE_standardised``.

    Raises:
        FileNotFoundError: if the run has no tables.
    """
    kept = kept_files(read_document(output / "table.json"))
    for name, content in kept.items():
        write_file(results / name, content)
    return [results / name for name in kept]


@click.command("table")
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Folder with the run's tasks, for the page's maps. Default: ${CACHE_VARIABLE}, else a folder in ~/.cache.",
)
@click.option(
    "--layout",
    "layouts",
    multiple=True,
    type=click.Choice(LAYOUTS),
    default=("pca",),
    show_default=True,
    help="Layout of the maps; can be given several times.",
)
@click.option("--no-maps", is_flag=True, help="Make the page without maps of embeddings.")
@click.option(
    "--section",
    "sections",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Markdown for an additional section of the page, figures in its folder; can be given several times.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap and the permutations.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Also copy the tables to FOLDER/SUITE.json, .md, .csv and _short.md, as in benchmark/results.",
)
@options.no_progress
def command(
    output: Path,
    cache: Path | None,
    layouts: tuple[str, ...],
    no_maps: bool,
    sections: tuple[Path, ...],
    seed: int,
    keep: Path | None,
    no_progress: bool,
) -> None:
    """Make the tables and the page of a run again. OUTPUT is the folder that `python -m benchmark run` wrote.

    Exit codes: 0, or 2 if OUTPUT is another folder or a file in it cannot be read.
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
    click.echo(terminal_table(read_document(output / "table.json")))
    for path in written:
        click.echo(f"written: {path}", err=True)
