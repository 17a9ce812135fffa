"""The command line of pre-training: ``python -m byola_hear.pretraining``.

Exit codes: 0, all is well; 1, training diverged; 2, the command was wrong. Errors are one line on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
import torch

from byola_hear.models.zoo import add_to_zoo
from byola_hear.pretraining.corpora.cli import corpora
from byola_hear.pretraining.data import manifest as manifests
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.matching import limit_kinds, match, write_matched
from byola_hear.pretraining.train_command import cache_with_progress, train
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.run_log import LOG_FILE, log_text, read_log
from byola_hear.utils.files import replacing

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MANIFEST = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def commands(context: click.Context) -> None:
    """Pre-train networks with BYOL-A on any audio: manifest, match, cache, train, plot, export."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


commands.add_command(corpora)
commands.add_command(train)


@commands.command(short_help="List the audio in folders, files and tars.")
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


@commands.command("match", short_help="Draw equal hours from two manifests.")
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
    read = {path: manifests.read_manifest(path) for path in (first, second)}
    there = {clip.kind for clips in read.values() for clip in clips}
    if unknown := [kind for kind in shares if kind not in there]:
        if not there - {""}:
            raise click.UsageError(f"expected no --limit for manifests without kinds, got one of {unknown[0]}")
        kinds = ", ".join(sorted(there - {""}))
        raise click.UsageError(f"expected --limit of one of the kinds {kinds}, got {unknown[0]}")
    for target in (output / f"{name}.csv" for name in (*names, "both")):
        if target.exists() and any(target.samefile(path) for path in read):
            raise click.UsageError(f"expected another folder or other --names, as {target} is one of the collections")
    collections = []
    for path in (first, second):
        clips = [manifests.moved(clip, path.parent, output) for clip in read[path]]
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


@commands.command(short_help="Decode a manifest's audio into log-mels.")
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the cache.")
@click.option("--workers", default=2, show_default=True, help="Threads that decode.")
def cache(manifest: Path, output: Path, workers: int) -> None:
    """Decode a manifest's audio into a log-mel cache, 46 MB an hour, and compute its statistics.

    Interrupted, the same command goes on where it stopped.
    """
    made = cache_with_progress(manifest, output, workers)
    failed = made.info["failed"]
    for reason in failed:
        click.echo(f"left out: {reason}", err=True)
    click.echo(
        f"{output}: {made.info['rows']} rows, {made.info['hours']:.2f} hours, mean {made.mean:.4f}, "
        f"std {made.std:.4f}; {len(failed)} left out"
    )


@commands.command(short_help="Draw the curves of runs.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=FILE, help="Picture to write: .png, .svg or .pdf.")
def plot(runs: tuple[Path, ...], output: Path) -> None:
    """Draw loss, spread, learning rate and speed of runs over the crops they have seen."""
    try:
        from byola_hear.pretraining.training.curves import draw_curves
    except ImportError:
        raise click.UsageError("this needs the 'pretraining' extra: pip install 'byola-hear[pretraining]'") from None
    names = [run.resolve().name for run in runs]
    labels = [name if names.count(name) == 1 else str(run) for name, run in zip(names, runs)]
    draw_curves({label: run / LOG_FILE for label, run in zip(labels, runs)}, output)
    click.echo(str(output))


@commands.command(short_help="Write a run's network as a checkpoint.")
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
        file.write(log_text(read_log(run / LOG_FILE, model.config.training["step"])).encode())
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
    except torch.OutOfMemoryError as error:
        click.echo(f"error: {str(error).split('. ')[0]}; a smaller --batch-size needs less", err=True)
        code = 2
    except (ValueError, OSError) as error:
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        code = 2
    sys.exit(code)
