"""``python -m byola_hear.pretraining train``: train a network on a manifest's audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.cli.errors import Finite
from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.commands.options import (
    FOLDER,
    MANIFEST,
    cache_with_progress,
    progress_bar,
    workers_option,
)
from byola_hear.pretraining.commands.recipe_options import recipe_of, recipe_options
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place, launched
from byola_hear.pretraining.training.start import Start
from byola_hear.pretraining.training.train import Trainer, TrainingProgress
from byola_hear.utils.files import locked


@click.command(short_help="Train a network on a manifest's audio.")
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the run. An unfinished run is resumed.")
@click.option(
    "--cache",
    "cache_folder",
    type=FOLDER,
    help="Folder of the log-mel cache. Default: MANIFEST with the ending .cache.",
)
@click.option(
    "--from",
    "start",
    metavar="NAME|PATH",
    help="Network to begin with: a name from `byola-hear models`, or a checkpoint. Default: random weights.",
)
@recipe_options
@click.option("--minutes", type=Finite(min=0), help="Stop after this many minutes. The same command resumes.")
@click.option(
    "--device", default="auto", show_default=True, help="Device to compute on: cpu, cuda, cuda:1; auto prefers a GPU."
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Precision of the computation; auto takes bfloat16 if the device supports it.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads of the network. Default: PyTorch's own choice.")
@workers_option
@click.option(
    "--save-every", type=Finite(min=0), default=5.0, show_default=True, help="Minutes between two saved states."
)
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
        audio = _cache_for(place, manifest, folder, options["workers"], frontend)
        output.mkdir(parents=True, exist_ok=True)
        with open(output / "lock", "a") as lock:
            if place.is_first and not locked(lock):
                raise ValueError(f"{output}: another process is training in this folder; choose another folder")
            trainer = Trainer(_on_device(audio, place.device), recipe, output, place, options["precision"], begin)
            finished = _train_with_progress(trainer, minutes, options["save_every"])
        if place.is_first:
            state = "finished" if finished else "stopped; the same command resumes"
            click.echo(f"{output}: step {trainer.step} of {recipe.steps}, {trainer.seconds / 60:.1f} minutes, {state}")


def _cache_for(
    place: Place, manifest: Path, folder: Path, workers: int, frontend: FrontendConfig | None
) -> LogMelCache:
    """Open the cache. The first process builds it and reports the rows left out, while the others wait."""
    if place.is_first:
        info = cache_with_progress(manifest, folder, workers, frontend).info
        if failed := info["failed"]:
            n_rows = len(failed) + info["rows"]
            click.echo(f"{folder}: {len(failed)} of {n_rows} rows left out; the first: {failed[0]}", err=True)
    place.wait()
    # A machine that does not share the first one's folder makes its own cache.
    if place.local_rank == 0 and not place.is_first:
        build_cache(manifest, folder, frontend, workers)
    place.wait()
    return build_cache(manifest, folder, frontend)


def _on_device(audio: LogMelCache, device: torch.device) -> LogMelCache:
    """Move the cache to a GPU if it fits into half of the free memory there; otherwise leave it memory-mapped."""
    if device.type != "cuda" or audio.frames.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
        return audio
    return audio.to(device)


def _train_with_progress(trainer: Trainer, minutes: float | None, save_every: float) -> bool:
    """Train with a progress bar that shows loss, standard deviation of embeddings and speed; return if finished."""
    bar = None
    if trainer.place.is_first:
        bar = progress_bar("training", "step", total=trainer.recipe.steps, initial=trainer.step)

    def report(state: TrainingProgress) -> None:
        if bar is not None:
            bar.update(state.step - bar.n)
            bar.set_postfix_str(
                f"loss {state.loss:.4f}, std {state.embedding_std:.3f}, {state.crops_per_second:.0f} crops/s",
                refresh=False,
            )

    try:
        return trainer.train(minutes, save_every, report)
    finally:
        if bar is not None:
            bar.close()
