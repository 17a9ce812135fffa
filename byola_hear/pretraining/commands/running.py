"""What the commands that train share: options, the cache on each device, and a run in its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.cli.types import Finite
from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.commands.options import (
    FOLDER,
    MANIFEST,
    cache_with_progress,
    progress_bar,
    report_left_out,
)
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.train import Trainer, TrainingProgress
from byola_hear.utils.files import locked


def run_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the manifest, the folders of the run and of the cache, and the network to begin with."""
    arguments = [
        click.argument("manifest", type=MANIFEST),
        click.option(
            "-o", "--output", required=True, type=FOLDER, help="Folder of the run. An unfinished run is resumed."
        ),
        click.option(
            "--cache",
            "cache_folder",
            type=FOLDER,
            help="Folder of the log-mel cache. Default: MANIFEST with the ending .cache.",
        ),
        click.option(
            "--from",
            "start",
            metavar="NAME|PATH",
            help="Network to begin with: a name from `byola-hear models`, or a checkpoint. Default: random weights.",
        ),
    ]
    for argument in reversed(arguments):
        function = argument(function)
    return function


def running_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that decide where and how long a run computes."""
    options = [
        click.option("--minutes", type=Finite(min=0), help="Stop after this many minutes. The same command resumes."),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            help="Device to compute on: cpu, cuda, cuda:1; auto prefers a GPU.",
        ),
        click.option(
            "--precision",
            type=click.Choice(["auto", "bfloat16", "float32"]),
            default="auto",
            show_default=True,
            help="Precision of the computation; auto takes bfloat16 where the device is faster with it.",
        ),
        click.option(
            "--threads", type=click.IntRange(1), help="CPU threads of the network. Default: PyTorch's choice."
        ),
        click.option(
            "--save-every", type=Finite(min=0), default=5.0, show_default=True, help="Minutes between two saved states."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@contextmanager
def claimed(folder: Path, place: Place) -> Iterator[None]:
    """Keep a folder, which is created, for this training until the block ends.

    Raises:
        ValueError: if another process is training in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a") as lock:
        if place.is_first and not locked(lock):
            raise ValueError(f"{folder}: another process is training in this folder; choose another folder")
        yield


def train_in_folder(
    output: Path, place: Place, trainer_of: Callable[[], Trainer], minutes: float | None, save_every: float
) -> None:
    """Train in a folder that no other process trains in, and print how far it came.

    Args:
        output: folder of the run.
        place: this process.
        trainer_of: makes the trainer, once the folder is locked.
        minutes: time to spend, in minutes. None sets no limit.
        save_every: minutes between two saved states.

    Raises:
        ValueError: if another process is training in the folder.
    """
    with claimed(output, place):
        trainer = trainer_of()
        finished = _train_with_progress(trainer, minutes, save_every)
    if place.is_first:
        state = "finished" if finished else "stopped; the same command resumes"
        reached = f"step {trainer.step} of {trainer.recipe.steps}, {trainer.seconds / 60:.1f} minutes"
        click.echo(f"{output}: {reached}, {state}")


def cache_for(place: Place, manifest: Path, folder: Path, workers: int, frontend: FrontendConfig | None) -> LogMelCache:
    """Open the cache. The first process builds it and reports the rows left out, while the others wait."""
    cache = None
    if place.is_first:
        cache = cache_with_progress(manifest, folder, workers, frontend)
        report_left_out(cache, folder)
    place.wait()
    # A machine that does not share the first one's folder makes its own cache.
    if place.local_rank == 0 and not place.is_first:
        build_cache(manifest, folder, frontend, workers)
    place.wait()
    return cache or build_cache(manifest, folder, frontend)


def on_device(audio: LogMelCache, device: torch.device) -> LogMelCache:
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
