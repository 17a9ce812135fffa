"""``python -m byola_hear.pretraining plot``: draw the curves of runs."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.pretraining.commands.options import FILE, RUN
from byola_hear.pretraining.training.run_log import LOG_FILE
from byola_hear.utils.optional import advice


@click.command(short_help="Draw the training curves of runs.")
@click.argument("runs", nargs=-1, required=True, type=RUN)
@click.option("-o", "--output", required=True, type=FILE, help="Picture to write: .png, .svg or .pdf.")
def plot(runs: tuple[Path, ...], output: Path) -> None:
    """Draw the loss, the standard deviation of embeddings, the learning rate and the speed of runs in one picture.

    RUNS are the folders that `train` wrote. The horizontal axis is the number of crops trained on.

    Exit codes: 0: the picture was written; 2: wrong usage, or a folder without a log.
    """
    try:
        from byola_hear.pretraining.training.curves import draw_curves
    except Exception as error:
        raise click.UsageError(f"this needs {advice(error, 'matplotlib', 'matplotlib', 'pretraining')}") from error
    names = [run.resolve().name for run in runs]
    labels = [name if names.count(name) == 1 else str(run) for name, run in zip(names, runs)]
    draw_curves({label: run / LOG_FILE for label, run in zip(labels, runs)}, output)
    click.echo(str(output))
