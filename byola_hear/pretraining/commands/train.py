"""``python -m byola_hear.pretraining train``: train a network on a manifest's audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.cli.errors import Finite
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.commands.options import (
    FOLDER,
    MANIFEST,
    cache_with_progress,
    progress_bar,
    workers_option,
)
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place, launched
from byola_hear.pretraining.training.recipe import SECOND_VIEWS, Recipe
from byola_hear.pretraining.training.train import Trainer, TrainingProgress
from byola_hear.utils.files import locked

DEFAULTS = Recipe()


def _recipe_option(name: str, help_text: str, owner: Recipe | ViewConfig = DEFAULTS) -> Callable[[Any], Any]:
    """An option for a field of the recipe or of its views, with the field's default."""
    option = f"--{name.replace('_', '-')}"
    return click.option(option, default=getattr(owner, name), show_default=True, help=help_text)


@click.command(short_help="Train a network on a manifest's audio.")
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the run. An unfinished run is resumed.")
@click.option(
    "--cache",
    "cache_folder",
    type=FOLDER,
    help="Folder of the log-mel cache. Default: MANIFEST with the ending .cache.",
)
@_recipe_option("steps", "Total number of steps. The schedules end there.")
@click.option("--minutes", type=Finite(min=0), help="Stop after this many minutes. The same command resumes.")
@_recipe_option("batch_size", "Crops per step on each device.")
@_recipe_option("crop_frames", "Length of a crop, in frames of 10 ms.")
@_recipe_option("learning_rate", "Learning rate after warm-up.")
@_recipe_option("final_learning_rate", "Learning rate at the last step. A cosine leads there.")
@_recipe_option("warm_up_steps", "Steps over which the learning rate rises from 0.")
@_recipe_option("weight_decay", "Weight decay of AdamW; 0 makes it Adam.")
@_recipe_option("ema_decay", "Decay of the target network's moving average at the first step.")
@_recipe_option("final_ema_decay", "Decay of the target network's moving average at the last step.")
@_recipe_option(
    "ema_batch", "Batch size that the decays are stated for; they are scaled to --batch-size. 0: not scaled."
)
@_recipe_option("batch_norm_momentum", "Share of a batch in the running statistics of batch norms.")
@click.option(
    "--second-view",
    type=click.Choice(SECOND_VIEWS),
    default="same",
    show_default=True,
    help="Make the second view of the same crop, of another crop of the clip, or of another crop and for notes of a "
    "SoundFont of the same note with another velocity.",
)
@_recipe_option("crop_candidates", "Places drawn for each crop; the loudest is taken.")
@_recipe_option("ambience_mix", "How often a crop of effects is mixed with ambience, from 0 to 1.")
@click.option(
    "--weights",
    "kind_weights",
    default="",
    metavar="KIND=WEIGHT,…",
    help="How often kinds of sound are drawn, relative to their hours, for instance effects=4,ambience=3. Speech keeps "
    "its share.",
)
@_recipe_option("mixup_ratio", "Largest share of another crop that is mixed in; 0 turns mixup off.", DEFAULTS.views)
@_recipe_option("fader_gain", "Strength of the random fades, in standard deviations; 0 turns them off.", DEFAULTS.views)
@click.option(
    "--shape",
    type=click.Choice(["v1", "v2"]),
    default="v2",
    show_default=True,
    help="Shape of the network: that of BYOL-A v1 or v2.",
)
@click.option("--hidden-size", default=2048, show_default=True, help="Width of the network's linear layers.")
@click.option("--channels", default=64, show_default=True, help="Channels of each convolution.")
@_recipe_option("projector_hidden", "Width inside the projector and the predictor.")
@_recipe_option("seed", "Seed of everything random.")
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
def train(manifest: Path, output: Path, cache_folder: Path | None, minutes: float | None, **options: Any) -> None:
    """Train a network on the audio of MANIFEST. The same command resumes a killed run exactly.

    The audio is decoded into a log-mel cache first, unless that exists. A row that can't be read is left out.

    On several devices: torchrun --nproc-per-node N -m byola_hear.pretraining train …

    Exit codes: 0: finished, or stopped by --minutes; 1: training diverged, the last saved state is kept; 2: wrong
    usage, or a file that can't be read or written; 130: interrupted.
    """
    recipe = _recipe(options)
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    with launched(options["device"]) as place:
        folder = cache_folder or manifest.with_suffix(".cache")
        audio = _cache_for(place, manifest, folder, options["workers"])
        output.mkdir(parents=True, exist_ok=True)
        with open(output / "lock", "a") as lock:
            if place.is_first and not locked(lock):
                raise ValueError(f"{output}: another process is training in this folder; choose another folder")
            trainer = Trainer(_on_device(audio, place.device), recipe, output, place, options["precision"])
            finished = _train_with_progress(trainer, minutes, options["save_every"])
        if place.is_first:
            state = "finished" if finished else "stopped; the same command resumes"
            click.echo(f"{output}: step {trainer.step} of {recipe.steps}, {trainer.seconds / 60:.1f} minutes, {state}")


def _recipe(options: dict[str, Any]) -> Recipe:
    """The recipe that the options of ``train`` describe."""
    shape = EncoderConfig.v1() if options["shape"] == "v1" else EncoderConfig.v2()
    named = {field.name: options[field.name] for field in fields(Recipe) if field.name in options}
    return Recipe(
        **{**named, "kind_weights": _kind_weights(options["kind_weights"])},
        views=ViewConfig(mixup_ratio=options["mixup_ratio"], fader_gain=options["fader_gain"]),
        encoder=replace(shape, hidden_size=options["hidden_size"], channels=options["channels"]),
    )


def _kind_weights(text: str) -> dict[str, float]:
    """Parse ``effects=4,ambience=3``."""
    weights = {}
    for part in filter(None, text.split(",")):
        kind, separator, weight = part.partition("=")
        try:
            weights[kind.strip()] = float(weight)
        except ValueError:
            separator = ""
        if not separator or not kind.strip():
            raise click.UsageError(f"expected --weights KIND=WEIGHT,…, for instance effects=4,ambience=3, got {text!r}")
    return weights


def _cache_for(place: Place, manifest: Path, folder: Path, workers: int) -> LogMelCache:
    """Open the cache. The first process builds it and reports the rows left out, while the others wait."""
    if place.is_first:
        info = cache_with_progress(manifest, folder, workers).info
        if failed := info["failed"]:
            n_rows = len(failed) + info["rows"]
            click.echo(f"{folder}: {len(failed)} of {n_rows} rows left out; the first: {failed[0]}", err=True)
    place.wait()
    # A machine that does not share the first one's folder makes its own cache.
    if place.local_rank == 0 and not place.is_first:
        build_cache(manifest, folder, workers=workers)
    place.wait()
    return build_cache(manifest, folder)


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
