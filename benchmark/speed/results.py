"""What the speed commands share: their options, and the files that they write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

import byola_hear
from benchmark.reporting import options
from benchmark.reporting.markdown import markdown
from byola_hear.utils.files import write_file


class MakesReport(Protocol):
    """Makes a report from a result; ``table`` makes a table from a header and rows."""

    def __call__(self, result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = ...) -> str: ...


#: Environment variables that hold PyTorch's libraries to the instructions of older processors.
HELD = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS")


def held() -> str:
    """The settings that hold PyTorch to older instructions, such as ``ATEN_CPU_CAPABILITY=avx2``; empty if none do."""
    return " ".join(f"{name}={os.environ[name]}" for name in HELD if os.environ.get(name))


def machine_state() -> dict[str, Any]:
    """What decides speeds besides the machine: its load, to be asked before the work, and settings of PyTorch."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"load_before": load, "held": held()}


def state_text(about: Mapping[str, Any]) -> str:
    """:func:`machine_state` in words; empty for results that lack it.

    Example:
        >>> state_text({"load_before": 0.12, "held": ""})
        ' The load of the machine was 0.1 before.'
    """
    load = about.get("load_before")
    words = "" if load is None else f" The load of the machine was {load:.1f} before."
    return words + (f" PyTorch was held to older instructions by `{about['held']}`." if about.get("held") else "")


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
        write_file(output, text.rstrip() + "\n")
        click.echo(f"written: {output}", err=True)
