"""The command line of pre-training: ``python -m byola_hear.pretraining``.

Exit codes: 0, all is well; 1, training diverged; 2, the command was wrong. Errors are one line on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
import torch

from byola_hear.encoder import EncoderConfig
from byola_hear.files import replacing
from byola_hear.frontend import FrontendConfig
from byola_hear.pretraining import manifest as manifests
from byola_hear.pretraining.cache import LogMelCache, build_cache
from byola_hear.pretraining.collect import build_manifest
from byola_hear.pretraining.corpora.cli import corpora
from byola_hear.pretraining.distributed import Place, launched
from byola_hear.pretraining.export import export_model
from byola_hear.pretraining.matching import limit_kinds, match, write_matched
from byola_hear.pretraining.recipe import Recipe
from byola_hear.pretraining.run_log import LOG_FILE
from byola_hear.pretraining.train import Progress, Trainer
from byola_hear.pretraining.views import ViewConfig
from byola_hear.zoo import add_to_zoo

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MANIFEST = click.Path(exists=True, dir_okay=False, path_type=Path)
DEFAULTS = Recipe()


@click.group()
def commands() -> None:
    """Pre-train networks with BYOL-A on any audio: manifest, match, cache, train, plot, export."""


commands.add_command(corpora)


@commands.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="INPUT...")
@click.option("-o", "--output", required=True, type=FILE, help="Manifest to write, a .csv file.")
@click.option("--kind", default="", help="Written into every row, such as speech or music.")
@click.option("--licence", default="", help="Written into every row.")
def manifest(inputs: tuple[Path, ...], output: Path, kind: str, licence: str) -> None:
    """List the audio in folders, files and tars as a manifest. Tars are unpacked beside it."""
    failed = 0

    def report(path: Path, reason: str) -> None:
        nonlocal failed
        failed += 1
        click.echo(f"left out: {path}: {reason}", err=True)

    clips = build_manifest(inputs, output, kind, licence, on_error=report)
    click.echo(f"{output}: {len(clips)} files, {manifests.hours(clips):.2f} hours; {failed} left out")


@commands.command("match")
@click.argument("first", type=MANIFEST)
@click.argument("second", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the three manifests.")
@click.option("--names", nargs=2, default=("speech", "nonspeech"), show_default=True, help="Of the two collections.")
@click.option("--hours", type=float, default=None, help="Of each set; those of the shorter collection by default.")
@click.option(
    "--limit", multiple=True, metavar="KIND=SHARE", help="Sample a kind down to a share of its collection, music=0.5."
)
@click.option("--seed", default=42, show_default=True)
def match_command(
    first: Path,
    second: Path,
    output: Path,
    names: tuple[str, str],
    hours: float | None,
    limit: tuple[str, ...],
    seed: int,
) -> None:
    """Draw equal hours from two manifests, and half of each at the same total as "both"."""
    shares = dict(_share(text) for text in limit)
    collections = []
    for path in (first, second):
        clips = [manifests.moved(clip, path.parent, output) for clip in manifests.read_manifest(path)]
        present = {kind: share for kind, share in shares.items() if any(clip.kind == kind for clip in clips)}
        collections.append(limit_kinds(clips, present, seed))
    sets = match(collections[0], collections[1], seed, hours)
    paths = write_matched(sets, output, names, {"seed": seed, "limits": shares})
    for path, clips in zip(paths, (sets.first, sets.second, sets.both)):
        kinds = ", ".join(f"{kind or 'other'} {hour:.2f}" for kind, hour in manifests.hours_by(clips, "kind").items())
        click.echo(f"{path}: {len(clips)} rows, {manifests.hours(clips):.2f} hours ({kinds})")


def _share(text: str) -> tuple[str, float]:
    """``music=0.5`` as a kind and its share."""
    kind, separator, share = text.partition("=")
    try:
        if separator and kind:
            return kind, float(share)
    except ValueError:
        pass
    raise click.UsageError(f"expected --limit KIND=SHARE such as music=0.5, got {text!r}")


@commands.command()
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the cache.")
@click.option("--workers", default=2, show_default=True, help="Threads that decode.")
@click.option("--mel-scale", type=click.Choice(["slaney", "htk"]), default="slaney", show_default=True)
def cache(manifest: Path, output: Path, workers: int, mel_scale: str) -> None:
    """Decode a manifest's audio into a log-mel cache, 46 MB an hour, and compute its statistics.

    Interrupted, the same command goes on where it stopped.
    """
    frontend = FrontendConfig(mel_scale=mel_scale, mel_norm="slaney" if mel_scale == "slaney" else "none")
    made = _cache_with_progress(manifest, output, workers, frontend)
    failed = made.info["failed"]
    for reason in failed:
        click.echo(f"left out: {reason}", err=True)
    click.echo(
        f"{output}: {made.info['rows']} rows, {made.info['hours']:.2f} hours, mean {made.mean:.4f}, "
        f"std {made.std:.4f}; {len(failed)} left out"
    )


def _cache_with_progress(manifest: Path, output: Path, workers: int, frontend: FrontendConfig) -> LogMelCache:
    """Build or open a cache under a progress bar."""
    with _bar("decoding", "row", leave=False) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return build_cache(manifest, output, frontend, workers, progress=report)


def _bar(title: str, unit: str, **options: Any) -> Any:
    """A progress bar on stderr, silent where that is no terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        raise click.UsageError("this needs the 'pretraining' extra: pip install 'byola-hear[pretraining]'") from None
    return tqdm(desc=title, unit=unit, disable=None, dynamic_ncols=True, **options)


@commands.command()
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the run; a run there is resumed.")
@click.option("--cache", "cache_folder", type=FOLDER, help="Log-mel cache; by default the manifest's name + .cache.")
@click.option("--steps", default=DEFAULTS.steps, show_default=True, help="Steps in all; the schedules end there.")
@click.option("--minutes", type=float, help="Stop after this time; the same command resumes.")
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
@click.option("--threads", type=int, help="CPU threads; torch's own choice by default.")
@click.option("--workers", default=2, show_default=True, help="Threads that decode, where the cache is not there yet.")
@click.option("--save-every", default=5.0, show_default=True, help="Minutes between two savings of the state.")
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
    """The cache, built by the first process while the others wait."""
    if place.is_first:
        _cache_with_progress(manifest, folder, workers, FrontendConfig())
    place.wait()
    return build_cache(manifest, folder, FrontendConfig())


def _on_device(audio: LogMelCache, device: torch.device) -> LogMelCache:
    """The cache on a GPU where half of its free memory holds it, else where it is."""
    if device.type != "cuda" or audio.frames.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
        return audio
    return audio.to(device)


def _train_with_progress(trainer: Trainer, minutes: float | None, save_every: float) -> bool:
    """Train under a progress bar with loss, spread and speed."""
    bar = _bar("training", "step", total=trainer.recipe.steps, initial=trainer.step) if trainer.place.is_first else None

    def report(state: Progress) -> None:
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


@commands.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=FILE, help="Picture to write: .png, .svg or .pdf.")
def plot(runs: tuple[Path, ...], output: Path) -> None:
    """Draw loss, spread, learning rate and speed of runs over the crops they have seen."""
    try:
        from byola_hear.pretraining.curves import draw_curves
    except ImportError:
        raise click.UsageError("this needs the 'pretraining' extra: pip install 'byola-hear[pretraining]'") from None
    draw_curves({run.resolve().name: run / LOG_FILE for run in runs}, output)
    click.echo(str(output))


@commands.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of checkpoints, such as weights.")
@click.option("--name", help="Of the model; the run's folder's name by default.")
@click.option("--version", default="1", show_default=True, help="Of the weights.")
@click.option("--licence", default="Apache-2.0", show_default=True, help="Of the weights.")
def export(run: Path, output: Path, name: str | None, version: str, licence: str) -> None:
    """Write a run's network as a checkpoint, half precision, its log beside it and its hash into the folder's table."""
    model = export_model(run, name or run.resolve().name, version, licence)
    output.mkdir(parents=True, exist_ok=True)
    sha256 = add_to_zoo(model, output)
    with replacing(output / f"byola-{model.config.name}.log.csv") as file:
        file.write((run / LOG_FILE).read_bytes())
    click.echo(f"{output}: {model.config.name} {version}, {model.config.training['crops']} crops, sha256 {sha256}")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: those after the program's name; the process's own if None.
    """
    try:
        commands.main(arguments, prog_name="python -m byola_hear.pretraining", standalone_mode=False)
        code = 0
    except click.exceptions.Abort:
        click.echo("error: interrupted; the same command resumes", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {' '.join(error.format_message().split())}", err=True)
        code = error.exit_code
    except FloatingPointError as error:
        click.echo(f"error: {error}", err=True)
        code = 1
    except (ValueError, OSError) as error:
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        code = 2
    sys.exit(code)
