"""What the speed commands share: their options, and the files that they write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

import byola_hear
from benchmark.reporting import options
from benchmark.reporting.markdown import markdown
from byola_hear.utils.files import replacing


class MakesReport(Protocol):
    """Makes a report from a result; ``table`` makes a table from a header and rows."""

    def __call__(self, result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = ...) -> str: ...


#: ``-o``, the files that a result is written to.
outputs = click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write .json (all numbers) or .md (the report); can be given several times.",
)


def speed_options(function: options.Function) -> options.Function:
    """Add the options ``--model``, ``--output`` and ``--no-progress`` to a command."""
    model = click.option(
        "--model", default="", metavar="NAME|PATH", help="Network to measure. Default: both, else untrained."
    )
    return options.joined(model, output_options)(function)


def output_options(function: options.Function) -> options.Function:
    """Add the options ``--output`` and ``--no-progress`` to a command."""
    return options.joined(outputs, options.no_progress)(function)


def default_model() -> str:
    """``both`` if it is in the zoo, else ``untrained``."""
    return "both" if "both" in byola_hear.list_models() else "untrained"


def check_outputs(outputs: Sequence[Path]) -> None:
    """Check result files before anything is measured.

    Raises:
        ValueError: if one does not end in .json or .md, or its folder does not exist.
    """
    for output in outputs:
        if output.suffix not in (".json", ".md") or not output.absolute().parent.is_dir():
            raise ValueError(f"expected an output file that ends in .json or .md, in an existing folder, got {output}")


def show(result: dict[str, Any], report: MakesReport, outputs: Sequence[Path]) -> None:
    """Print a result's report and write it to files, named on stderr."""
    click.echo(report(result))
    for output in outputs:
        text = json.dumps(result, indent=1) if output.suffix == ".json" else report(result, markdown)
        with replacing(output) as stream:
            stream.write((text.rstrip() + "\n").encode())
        click.echo(f"written: {output}", err=True)
