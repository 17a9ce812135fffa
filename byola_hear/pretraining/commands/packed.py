"""``pack`` and ``train-packed``: carry training sets to a machine with a GPU, and train on all of them there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from byola_hear.cli.errors import Failure
from byola_hear.cli.types import Finite
from byola_hear.models.zoo import add_to_zoo, check_name
from byola_hear.pretraining.commands.options import (
    FILE,
    FOLDER,
    MANIFEST,
    cache_with_progress,
    report_left_out,
    workers_option,
)
from byola_hear.pretraining.commands.running import claimed
from byola_hear.pretraining.data.packing import PackSource, pack, unpack
from byola_hear.pretraining.training.distributed import is_one_of_several, launched
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.several import train_several
from byola_hear.utils.text import one_line

#: Crops per step on a GPU, unless the recipe or an option says otherwise.
GPU_BATCH = 512


@click.command("pack", short_help="Pack training sets into pieces to carry to another machine.")
@click.argument("manifests", nargs=-1, required=True, type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the pieces.")
@click.option("--piece", type=click.IntRange(1), default=60, show_default=True, help="Largest size of a piece, in MiB.")
@workers_option
def pack_command(manifests: tuple[Path, ...], output: Path, piece: int, workers: int) -> None:
    """Pack the log-mel caches of MANIFESTS into pieces that "train-packed" reads. A cache is built if it is missing.

    Clips of several sets are packed once. Values are rounded to 8 bits, a step of about 0.4 dB. A network gets the name
    of its manifest.

    Exit codes: 0: the pieces were written; 2: wrong usage, or a file that can't be read or written.
    """
    for path in manifests:
        try:
            check_name(path.stem)
        except ValueError as error:
            raise click.UsageError(f"{path}: its network gets this name: {error}") from None
    sources = [
        PackSource(path.stem, path, folder, cache_with_progress(path, folder, workers))
        for path, folder in ((path, path.with_suffix(".cache")) for path in manifests)
    ]
    for source in sources:
        report_left_out(source.cache, source.folder)
    files = pack(sources, output, piece << 20)
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    click.echo(f"{output}: {len(files) - 1} pieces and an index, {megabytes:.0f} MB")


@click.command("train-packed", short_help="Train a network on each packed set, in a fixed time.")
@click.argument("packed", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the checkpoints.")
@click.option("--runs", type=FOLDER, help="Folder of the runs. Default: the folder 'runs' in the output folder.")
@click.option("--minutes", type=Finite(min=0), default=12.0, show_default=True, help="Time for all networks together.")
@click.option(
    "--recipe",
    type=FILE,
    help="JSON file with values of the recipe that differ from the defaults.",
)
@click.option("--batch-size", type=click.IntRange(2), help="Crops per step. Default: 512, or that of --recipe.")
@click.option("--device", default="auto", show_default=True, help="Device to compute on; auto prefers a GPU.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Precision of the computation; auto takes bfloat16 where the device is faster with it.",
)
@click.option(
    "--compile",
    "backend",
    type=click.Choice(["none", "inductor", "aot_eager"]),
    default="inductor",
    show_default=True,
    help="How torch.compile compiles the networks; none does not compile.",
)
@click.option("--measured-steps", type=click.IntRange(1), default=20, show_default=True, help="Steps to measure.")
@click.option("--most-steps", type=click.IntRange(1), help="Largest number of steps of a network, for a rehearsal.")
@click.option("--version", default="1", show_default=True, help="Version of the weights.")
def train_packed_command(packed: Path, output: Path, runs: Path | None, **options: Any) -> None:
    """Train one network for each set in the folder PACKED, with all audio on the device, and export them.

    The speed is measured first. All networks get the same number of steps, so many that they fit into --minutes. Each
    is written as soon as it is trained. The same command resumes runs that were stopped or killed, with their number of
    steps.

    Exit codes: 0: all networks were trained and written; 1: training diverged, or a network that was written is not
    finished; 2: wrong usage, or a file that can't be read or written.
    """
    if is_one_of_several():
        # Each process would measure a speed and choose a number of steps of its own, and wait for the others in vain.
        raise click.UsageError("train-packed trains on one device; start it without torchrun")
    recipe = _recipe(options["recipe"], options["batch_size"])
    backend = "" if options["backend"] == "none" else options["backend"]
    output.mkdir(parents=True, exist_ok=True)
    folder = runs or output / "runs"

    def export(name: str) -> None:
        model = export_model(folder / name, name, options["version"])
        click.echo(f"{output}: {name}, sha256 {add_to_zoo(model, output)}")

    with launched(options["device"]) as place, claimed(folder, place):
        sets = unpack(packed, place.device)
        for name in sets:
            check_name(name)
        frames = next(iter(sets.values())).frames
        click.echo(f"{packed}: {len(sets)} sets, {len(frames) / 360000:.2f} hours on {place.device}")
        unfinished = train_several(
            sets,
            recipe,
            folder,
            place,
            options["minutes"],
            options["precision"],
            backend,
            options["measured_steps"],
            options["most_steps"],
            click.echo,
            export,
        )
    if unfinished:
        raise Failure(f"time was over before {', '.join(unfinished)} had all steps; the same command resumes")


def _recipe(path: Path | None, batch_size: int | None) -> Recipe:
    """The recipe of a JSON file, on top of the defaults with :data:`GPU_BATCH`."""
    values = Recipe(batch_size=GPU_BATCH).to_dict()
    if path is not None:
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(given, dict) or (unknown := sorted(set(given) - set(values))):
                raise ValueError(
                    f"unknown values: {', '.join(unknown)}" if isinstance(given, dict) else "not an object"
                )
            for name in ("views", "encoder"):
                given[name] = {**values[name], **given.get(name, {})}
            _check_types(given, values)
            recipe = Recipe.from_dict({**values, **given})
        except (OSError, TypeError, ValueError) as error:
            raise click.UsageError(
                f"{path}: expected a JSON object with values of a recipe ({one_line(error)})"
            ) from None
    else:
        recipe = Recipe.from_dict(values)
    return replace(recipe, batch_size=batch_size) if batch_size else recipe


def _check_types(given: dict[str, Any], usual: dict[str, Any]) -> None:
    """Check that values are of the types of the usual ones; an integer may stand for any number.

    Raises:
        TypeError: if one is not.
    """
    for name in given.keys() & usual.keys():
        value, kind = given[name], type(usual[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"expected {name} like {json.dumps(usual[name])}, got {json.dumps(value)}")
        if kind is dict:
            _check_types(value, usual[name])
