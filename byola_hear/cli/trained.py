"""What `byola-hear learn` and `byola-hear finetune` print of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from byola_hear.cli.terminal import aligned
from byola_hear.utils.text import quantity

if TYPE_CHECKING:
    from byola_hear.classification.training import Trained

#: Classes whose measures are printed; the report has all.
_MAX_LINES = 100


def show(trained: Trained, precision: float) -> None:
    """Print the measures of the classes, what was confused most, and the notes."""
    from byola_hear.classification.report import summary

    lines = summary.lines(trained, precision)
    header = ["class", "windows", "groups", "AP", "95 %", "P", "R", "F1", "threshold", f"P≥{precision:g}"]
    rows = []
    for line in lines[:_MAX_LINES]:
        interval = "-" if line.interval is None else f"{line.interval[0]:.2f}-{line.interval[1]:.2f}"
        measures = [number(value) for value in (line.precision, line.recall, line.f1)]
        wished = "-" if line.wished is None else f"{line.wished:.3f}"
        rows.append(
            [
                *(line.label, str(line.examples), str(line.recordings), number(line.average_precision), interval),
                *(*measures, f"{line.threshold:.3f}", wished),
            ]
        )
    if trained.n_folds:
        average_precision = summary.mean([line.average_precision for line in lines])
        f1 = summary.mean([line.f1 for line in lines])
        rows.append(["mean", "", "", number(average_precision), "", "", "", number(f1), "", ""])
    click.echo(aligned(header, rows))
    if len(lines) > _MAX_LINES:
        click.echo(f"and {len(lines) - _MAX_LINES} more; --report shows all")
    for truth, found, count in summary.confused(trained) if trained.n_folds else []:
        click.echo(f"{truth} taken for {found}: {quantity(count, 'window')}")
    for note in trained.notes:
        click.echo(f"note: {note}")


def number(value: float | None) -> str:
    """A measure with two decimals."""
    return "-" if value is None else f"{value:.2f}"


def described(trained: Trained) -> str:
    """A line on a classifier."""
    examples, classifier = trained.examples, trained.classifier
    classes = "class" if len(examples.classes) == 1 else "classes"
    checked = f"checked in {trained.n_folds} folds" if trained.n_folds else "not checked"
    parts = [
        f"{len(examples.classes)} {classes}",
        f"{quantity(len(examples), 'window')} of {classifier.window:g} s",
        f"{quantity(classifier.about['negatives'], 'negative')}",
        f"{quantity(len(set(examples.file)), 'recording')}",
        checked,
        f"model {classifier.network.label}",
    ]
    return ", ".join(parts)
