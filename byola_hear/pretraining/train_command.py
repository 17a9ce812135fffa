"""``python -m byola_hear.pretraining train``: a manifest's audio is decoded, once, and a network trained on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.cli.errors import Finite
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place, launched
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.train import Trainer, TrainingProgress
from byola_hear.utils.files import locked

FOLDER = click.Path(file_okay=False, path_type=Path)
MANIFEST = click.Path(exists=True, dir_okay=False, path_type=Path)
DEFAULTS = Recipe()


def cache_with_progress(manifest: Path, output: Path, workers: int) -> LogMelCache:
    """Build or open a cache under a progress bar."""
    with _bar("decoding", "row", leave=False) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return build_cache(manifest, output, workers=workers, progress=report)


def _bar(title: str, unit: str, **options: Any) -> Any:
    """A progress bar on stderr, silent where that is no terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        raise click.UsageError("this needs the 'pretraining' extra: pip install 'byola-hear[pretraining]'") from None
    return tqdm(desc=title, unit=unit, disable=None, dynamic_ncols=True, **options)


@click.command(short_help="Train a network on a manifest's audio.")
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the run; a run there is resumed.")
@click.option("--cache", "cache_folder", type=FOLDER, help="Log-mel cache; by default the manifest's name + .cache.")
@click.option("--steps", default=DEFAULTS.steps, show_default=True, help="Steps in all; the schedules end there.")
@click.option("--minutes", type=Finite(min=0), help="Stop after this time; the same command resumes.")
@click.option("--batch-size", default=DEFAULTS.batch_size, show_default=True, help="Crops a step, on each device.")
@click.option("--crop-frames", default=DEFAULTS.crop_frames, show_default=True, help="10 ms each.")
@click.option("--learning-rate", default=DEFAULTS.learning_rate, show_default=True)
@click.option("--final-learning-rate", default=DEFAULTS.final_learning_rate, show_default=True)
@click.option("--warm-up-steps", default=DEFAULTS.warm_up_steps, show_default=True)
@click.option("--weight-decay", default=DEFAULTS.weight_decay, show_default=True)
@click.option("--ema-decay", default=DEFAULTS.ema_decay, show_default=True)
@click.option("--final-ema-decay", default=DEFAULTS.final_ema_decay, show_default=True)
@click.option("--mixup-ratio", default=DEFAULTS.views.mixup_ratio, show_default=True)
@click.option("--fader-gain", default=DEFAULTS.views.fader_gain, show_default=True)
@click.option("--shape", type=click.Choice(["v1", "v2"]), default="v2", show_default=True, help="Of the network.")
@click.option("--hidden-size", default=2048, show_default=True, help="Width of the linear layers.")
@click.option("--channels", default=64, show_default=True, help="Of each convolution.")
@click.option("--projector-hidden", default=DEFAULTS.projector_hidden, show_default=True, help="Width in both heads.")
@click.option("--seed", default=DEFAULTS.seed, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option("--precision", type=click.Choice(["auto", "bfloat16", "float32"]), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads; torch's own choice by default.")
@click.option("--workers", default=2, show_default=True, help="Threads that decode, where the cache is not there yet.")
@click.option("--save-every", type=Finite(min=0), default=5.0, show_default=True, help="Minutes between two savings.")
def train(manifest: Path, output: Path, cache_folder: Path | None, minutes: float | None, **options: Any) -> None:
    """Train a network on a manifest's audio. Killed at any moment, the same command resumes it exactly.

    On several devices: torchrun --nproc-per-node N -m byola_hear.pretraining train …
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
                raise ValueError(f"{output}: another process is training there; expected a folder of its own")
            trainer = Trainer(_on_device(audio, place.device), recipe, output, place, options["precision"])
            finished = _train_with_progress(trainer, minutes, options["save_every"])
        if place.is_first:
            state = "finished" if finished else "stopped; the same command resumes"
            click.echo(f"{output}: step {trainer.step} of {recipe.steps}, {trainer.seconds / 60:.1f} minutes, {state}")


def _recipe(options: dict[str, Any]) -> Recipe:
    """The recipe that the options of ``train`` describe."""
    shape = EncoderConfig.v1() if options["shape"] == "v1" else EncoderConfig.v2()
    names = (
        "steps", "batch_size", "crop_frames", "learning_rate", "final_learning_rate", "warm_up_steps", "weight_decay",
        "ema_decay", "final_ema_decay", "projector_hidden", "seed",
    )  # fmt: skip
    return Recipe(
        **{name: options[name] for name in names},
        views=ViewConfig(mixup_ratio=options["mixup_ratio"], fader_gain=options["fader_gain"]),
        encoder=replace(shape, hidden_size=options["hidden_size"], channels=options["channels"]),
    )


def _cache_for(place: Place, manifest: Path, folder: Path, workers: int) -> LogMelCache:
    """The cache, built by the first process while the others wait; it says which rows are not in it."""
    if place.is_first:
        info = cache_with_progress(manifest, folder, workers).info
        if failed := info["failed"]:
            n_rows = len(failed) + info["rows"]
            click.echo(f"{folder}: {len(failed)} of {n_rows} rows left out, the first: {failed[0]}", err=True)
    place.wait()
    # Where another machine does not see the first one's folder, it makes its own.
    if place.local_rank == 0 and not place.is_first:
        build_cache(manifest, folder, workers=workers)
    place.wait()
    return build_cache(manifest, folder)


def _on_device(audio: LogMelCache, device: torch.device) -> LogMelCache:
    """The cache on a GPU where half of its free memory holds it, else where it is."""
    if device.type != "cuda" or audio.frames.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
        return audio
    return audio.to(device)


def _train_with_progress(trainer: Trainer, minutes: float | None, save_every: float) -> bool:
    """Train under a progress bar with loss, spread and speed."""
    bar = _bar("training", "step", total=trainer.recipe.steps, initial=trainer.step) if trainer.place.is_first else None

    def report(state: TrainingProgress) -> None:
        if bar is not None:
            bar.update(state.step - bar.n)
            bar.set_postfix_str(
                f"loss {state.loss:.4f}, spread {state.spread:.3f}, {state.crops_per_second:.0f} crops/s", refresh=False
            )

    try:
        return trainer.train(minutes, save_every, report)
    finally:
        if bar is not None:
            bar.close()
