"""``python -m benchmark report``: write the reports of measured results again, from their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmark import RESULTS
from benchmark.comparison.command import kept_files
from benchmark.comparison.document import read_document
from benchmark.faults.report import report as faults_report
from benchmark.probes import table as probe_table
from benchmark.reporting.markdown import markdown
from benchmark.speed import collection_report, embeddings, engines, finding_report, parts, training
from benchmark.studies.architectures import report as architectures
from benchmark.studies.cka import report as cka
from benchmark.studies.detection import report as detection
from benchmark.studies.dimensions import report as dimensions
from benchmark.studies.few_shot import report as few_shot
from benchmark.studies.findings import Report, save_report, write_text
from benchmark.studies.finetuning import report as finetuning
from benchmark.studies.listeners import report as listeners
from benchmark.studies.onsets import report as onsets
from benchmark.studies.readouts import report as readouts
from benchmark.studies.regression import report as regression
from benchmark.studies.rsa import report as rsa
from benchmark.studies.scales import report as scales
from benchmark.studies.search import report as search
from benchmark.studies.size import report as size
from benchmark.studies.transfer import report as transfer
from benchmark.tasks.registry import SUITES

#: What makes the report of each study.
STUDIES: dict[str, Callable[[Path], Report]] = {
    module.NAME: module.report
    for module in (
        *(architectures, cka, detection, dimensions, few_shot, finetuning, listeners),
        *(onsets, readouts, regression, rsa, scales, search, size, transfer),
    )
} | {size.COMPUTE: partial(size.report, name=size.COMPUTE)}
#: What makes the tables of speed.
SPEEDS: dict[str, Callable[..., str]] = {
    "collection_speed": collection_report.report,
    "collection_speed_small": collection_report.report,
    "engines_speed": engines.report,
    "finding_speed": finding_report.report,
    "parts_speed": parts.report,
    "speed": embeddings.report,
    "training_speed": training.report,
}
#: What makes the Markdown of other results, out of ``NAME.json``. Tables of speed are also kept for a processor with
#: AVX2 and nothing newer.
PAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "prove": faults_report,
    "probe": probe_table.markdown_table,
    "probe_all": probe_table.markdown_table,
    "probe_precision": probe_table.markdown_table,
    **{
        f"{name}{suffix}": partial(report, table=markdown)
        for name, report in SPEEDS.items()
        for suffix in ("", "_avx2")
    },
}
#: Tables of runs, also those of standardised embeddings.
RUNS = tuple(f"{suite}{suffix}" for suite in SUITES for suffix in ("", "_standardised"))


def kept_results(folder: Path) -> list[str]:
    """Names of the results in a folder, sorted."""
    return [name for name in sorted({*STUDIES, *PAGES, *RUNS}) if (folder / f"{name}.json").is_file()]


def texts_of(folder: Path, name: str) -> dict[str, str]:
    """The text files of a result's report by file name, made from its numbers.

    Args:
        folder: folder of results.
        name: name of the result.

    Raises:
        ValueError: if there is no result of that name.
        FileNotFoundError: if its numbers are not in the folder.
    """
    if name in STUDIES:
        return STUDIES[name](folder).texts(folder, name)
    if name not in (*PAGES, *RUNS):
        raise ValueError(f"expected a result out of {', '.join((*STUDIES, *PAGES, *RUNS))}, got {name!r}")
    path = folder / f"{name}.json"
    if name in PAGES:
        return {f"{name}.md": PAGES[name](json.loads(path.read_text(encoding="utf-8"))).rstrip() + "\n"}
    kept = kept_files(read_document(path))
    return {file: content.decode() for file, content in kept.items() if not file.endswith(".json")}


def write_again(folder: Path, name: str) -> list[Path]:
    """Write a result's report; arguments and errors as of :func:`texts_of`. Returns the files."""
    if name in STUDIES:
        return save_report(folder, name, STUDIES[name](folder))
    return [write_text(folder / file, text) for file, text in texts_of(folder, name).items()]


@click.command("report")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=RESULTS,
    metavar="FOLDER",
    help="Folder of the results. Default: benchmark/results.",
)
def command(names: tuple[str, ...], results: Path) -> None:
    """Write tables, findings and figures of results again from their numbers (.json, .csv); measures nothing.

    Without NAMEs, all results in the folder are written.

    Exit codes: 0, or 2 if there is no result of a name.
    """
    for name in names or kept_results(results):
        for path in write_again(results, name):
            click.echo(f"written: {path}", err=True)
