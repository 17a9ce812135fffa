"""``python -m byola_hear.pretraining train``: train a network on a manifest's audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.pretraining.commands.options import workers_option
from byola_hear.pretraining.commands.recipe_options import recipe_of, recipe_options
from byola_hear.pretraining.commands.running import (
    cache_for,
    on_device,
    run_arguments,
    running_options,
    train_in_folder,
)
from byola_hear.pretraining.training.distributed import launched
from byola_hear.pretraining.training.start import Start
from byola_hear.pretraining.training.train import Trainer


@click.command(short_help="Train a network on a manifest's audio.")
@run_arguments
@recipe_options
@running_options
@workers_option
def train(
    manifest: Path,
    output: Path,
    cache_folder: Path | None,
    start: str | None,
    minutes: float | None,
    **options: Any,
) -> None:
    """Train a network on the audio of MANIFEST. The same command resumes a killed run exactly.

    With --from, training continues with the weights, the front end and the statistics of a network that exists.

    The audio is decoded into a log-mel cache first, unless that exists. A row that can't be read is left out.

    On several devices: torchrun --nproc-per-node N -m byola_hear.pretraining train …

    Exit codes: 0: finished, or stopped by --minutes; 1: training diverged, the last saved state is kept; 2: wrong
    usage, or a file that can't be read or written; 130: interrupted.
    """
    begin = None if start is None else Start.of(start)
    recipe = recipe_of(options) if begin is None else begin.continued(recipe_of(options), options)
    frontend = None if begin is None else begin.model.config.frontend
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    with launched(options["device"]) as place:
        folder = cache_folder or manifest.with_suffix(".cache")
        audio = cache_for(place, manifest, folder, options["workers"], frontend)
        train_in_folder(
            output,
            place,
            lambda: Trainer(on_device(audio, place.device), recipe, output, place, options["precision"], begin),
            minutes,
            options["save_every"],
        )
