"""What came of :mod:`benchmark.speed.collection`, as text, beside what is aimed at."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from byola_hear.cli.terminal import aligned

#: What the project aims at: the package's whole program, at least so many times as fast as each.
AIMS = {"network": 0.5, "plain": 3.0, "opensmile": 1.0, "wav2vec2": 20.0}
HEADER = ["way", "files", "work", "per CPU second", "whole program", "package, times as fast", "aim", "reached"]


def rows(result: dict[str, Any]) -> list[list[str]]:
    """A line for each way: what it is, its speed, how the package compares and what was aimed at."""
    about = result["about"]
    total = about["clips"] * about["clip_seconds"]
    lines = []
    for name, way in result["ways"].items():
        if way["missing"]:
            lines.append([way["what"], "–", "–", "–", "–", "–", "–", way["missing"]])
            continue
        heard = way["files"] * about["clip_seconds"]
        work = median(heard / each for each in way["work_seconds"])
        cpu = median(heard / max(each, 1e-9) for each in way["cpu_seconds"])
        # The network alone is no program.
        program = "–" if name == "network" else f"{median(total / each for each in way['program_seconds']):.1f}"
        compared, aim, reached = ["–"] * 3
        if name in result["ratios"]:
            ratio = result["ratios"][name]
            compared = f"{ratio:.2f}"
            if name in AIMS:
                aim, reached = f"≥ {AIMS[name]:g}", "yes" if ratio >= AIMS[name] else "no"
        lines.append([way["what"], str(way["files"]), f"{work:.1f}", f"{cpu:.1f}", program, compared, aim, reached])
    return lines


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """The result as text.

    Args:
        result: what :func:`benchmark.speed.collection.measure` gives.
        table: makes a table of a header and rows: for the terminal, or :func:`benchmark.reporting.markdown.markdown`.

    Returns:
        Lines.
    """
    about = result["about"]
    form = f"{about['sample_rate']} Hz, {about['channels']} channel{'s' if about['channels'] > 1 else ''}"
    return "\n".join(
        [
            f"{about['clips']} FLAC files of {about['clip_seconds']:g} s, {form}; "
            f"{about['model']}; {about['threads']} threads.",
            f"{about['hardware']}; medians of {about['turns']} turns.",
            "",
            "Times real time: of the work without the start, of the work per second of processor time, and of the "
            "whole program, from its start to the end of its work on all the files; a way that went through fewer of "
            "them is given its start and so much of its work. The network alone is compared without a start.",
            "",
            table(HEADER, rows(result)),
        ]
    )
