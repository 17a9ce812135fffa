"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from benchmark import RESULTS
from benchmark.datasets.labelled_set import AUDIO_VARIABLE, CACHE_VARIABLE

Function = TypeVar("Function", bound=Callable[..., Any])

#: Default folder of the results.


def joined(*several: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Join options to one decorator; the help lists them in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(several):
            function = option(function)
        return function

    return decorate


def models(help: str, default: str = "both,speech,nonspeech,untrained,logmel,mfcc") -> Callable[[Any], Any]:
    """``--models``."""
    return click.option("--models", default=default, show_default=True, metavar="NAME|PATH|NAME=WEIGHTS,…", help=help)


audio = click.option(
    "--audio",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Folder of labelled sets, NAME.tar each. Default: ${AUDIO_VARIABLE}.",
)
results = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    metavar="FOLDER",
    help="Folder for the results, created if necessary. Default: benchmark/results.",
)
cache = click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Folder for audio, tasks, embeddings and outcomes, safe to delete. Default: ${CACHE_VARIABLE}, else in "
    "~/.cache.",
)
untrained_seeds = click.option(
    "--untrained-seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="Number of untrained networks."
)
no_progress = click.option("--no-progress", is_flag=True, help="Show no progress bar.")
