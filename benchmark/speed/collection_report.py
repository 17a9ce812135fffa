"""The report of :mod:`benchmark.speed.collection`, with the project's aims."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from benchmark.reporting.markdown import NOTHING
from benchmark.reporting.provenance import measured_with
from benchmark.speed.collection_methods import TITLES
from benchmark.speed.results import state_text
from byola_hear.cli.terminal import aligned
from byola_hear.utils.text import quantity

#: How many times as fast as each method the package's whole program should be.
AIMS = {"network": 0.5, "plain": 3.0, "opensmile": 1.0, "wav2vec2": 20.0}
HEADER = ["method", "files", "work", "per CPU second", "whole program", "package, times as fast", "aim", "reached"]


def rows(result: dict[str, Any]) -> list[list[str]]:
    """A row for each method: its speed, how many times as fast the package is, and the aim."""
    about = result["about"]
    total = about["clips"] * about["clip_seconds"]
    lines = []
    for name, method in result["methods"].items():
        title = TITLES[name][0]
        if method["missing"]:
            lines.append([title, *[NOTHING] * 6, method["missing"]])
            continue
        processed = method["files"] * about["clip_seconds"]
        work = median(processed / each for each in method["work_seconds"])
        cpu = median(processed / max(each, 1e-9) for each in method["cpu_seconds"])
        # The network alone is not a program.
        program = NOTHING if name == "network" else f"{median(total / each for each in method['program_seconds']):.1f}"
        compared, aim, reached = [NOTHING] * 3
        if name in result["ratios"]:
            ratio = result["ratios"][name]
            compared = f"{ratio:.2f}"
            if name in AIMS:
                aim, reached = f"≥ {AIMS[name]:g}", "yes" if ratio >= AIMS[name] else "no"
        lines.append([title, str(method["files"]), f"{work:.1f}", f"{cpu:.1f}", program, compared, aim, reached])
    return lines


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """A result as text.

    Args:
        result: what :func:`benchmark.speed.collection.measure` returns.
        table: makes a table from a header and rows: for the terminal, or :func:`benchmark.reporting.markdown.markdown`.

    Returns:
        Lines.
    """
    about = result["about"]
    form = f"{about['sample_rate']} Hz, {about['channels']} channel{'s' if about['channels'] > 1 else ''}"
    return "\n".join(
        [
            f"{about['clips']} FLAC files of {about['clip_seconds']:g} s, {form}; "
            f"{about['model']}; {quantity(about['threads'], 'thread')}.",
            f"{measured_with(about)} Medians of {about['turns']} turns.{state_text(about)}",
            "",
            "Speeds are in times real time: of the work without the start-up, of the work per second of CPU time, and "
            "of the whole program, from its start to the end of the work on all files. For a method that processed "
            "fewer files, the whole program is its start-up plus the extrapolated work. The network alone is compared "
            "without a start-up.",
            "",
            table(HEADER, rows(result)),
        ]
    )
