"""Options of the commands that run heareval."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmark.datasets.labelled_set import AUDIO_VARIABLE
from benchmark.evaluation.settings import GRIDS

grid = click.option(
    "--grid", type=click.Choice(GRIDS), default="default", show_default=True, help="Grid of heareval's hyperparameters."
)


def grid_points(default: int) -> Callable[[Any], Any]:
    """``--grid-points``."""
    return click.option(
        "--grid-points",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Number of grid points to try.",
    )


sources = click.option(
    "--sources",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Folder of labelled sets, NAME.tar each. Default: ${AUDIO_VARIABLE}.",
)
jobs = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Number of parallel processes, one thread each.",
)
