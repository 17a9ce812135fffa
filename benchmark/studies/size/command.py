"""``python -m benchmark size``: networks of several sizes and volumes of pre-training data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import torch
from tqdm import tqdm

from benchmark.datasets.labelled_set import cache_folder
from benchmark.probes.plan import plan
from benchmark.reporting import options
from benchmark.reporting.command_line import command_line
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import save_numbers
from benchmark.studies.size.cells import recipe_of
from benchmark.studies.size.report import COMPUTE, NAME, report
from benchmark.studies.size.run import cells_of, table_of
from benchmark.studies.study import show_report
from byola_hear.cli.types import Finite
from byola_hear.pretraining.commands.recipe_options import DEFAULTS
from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.training.distributed import device_of
from byola_hear.pretraining.training.recipe import BYOL
from byola_hear.utils.files import file_hash


def _numbers(text: str, what: str) -> list[float]:
    """Parse numbers separated by commas."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise click.UsageError(f"expected --{what} as numbers separated by commas, got {text!r}") from None


def _sizes(text: str) -> list[tuple[int, int]]:
    """Parse ``192x6,384x6`` into widths and numbers of layers."""
    sizes = []
    for part in filter(None, map(str.strip, text.split(","))):
        width, _, layers = part.partition("x")
        if not (width.isdecimal() and layers.isdecimal() and int(layers)):
            raise click.UsageError(f"expected --transformers such as 192x6,384x6, got {text!r}")
        sizes.append((int(width), int(layers)))
    return sizes


@click.command("size")
@click.argument(
    "manifests", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MANIFEST...",
)  # fmt: skip
@click.option(
    "--runs",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder for audio, runs and checkpoints; finished parts in it are reused.",
)
@click.option(
    "--widths", default="512,1024,2048", show_default=True, help="Widths of convolutional networks, multiples of 32."
)
@click.option(
    "--transformers",
    default="",
    metavar="WIDTHxLAYERS,…",
    help="Transformers too, for instance 192x6,384x6,192x12. With them, --widths may be empty.",
)
@click.option(
    "--method",
    type=click.Choice(list(DEFAULTS)),
    default=BYOL,
    show_default=True,
    help="How all networks are trained, as for `python -m byola_hear.pretraining train`.",
)
@click.option(
    "--petaflop",
    type=Finite(min=0),
    help="Compute for each network, in 10^15 operations, instead of --steps: larger ones then take fewer steps.",
)
@click.option("--hours", default="1,5,25", show_default=True, help="Hours of audio, equally much of each manifest.")
@click.option("--steps", default=320, show_default=True, help="Training steps of each network.")
@click.option("--batch-size", default=32, show_default=True, help="Crops in a training step.")
@click.option("--tasks", default="core", show_default=True, help="Tasks, as for `python -m benchmark probe`.")
@click.option("--max-clips", type=click.IntRange(min=50), help="Largest number of clips of a task.")
@click.option("--device", default="auto", show_default=True, help="Device for training: auto, cpu, cuda …")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads. Default: PyTorch's choice.")
@click.option("--seed", default=42, show_default=True, help="Seed of clips, networks and crops.")
@options.audio
@options.results
@options.cache
@options.no_progress
def command(
    manifests: tuple[Path, ...],
    runs: Path,
    widths: str,
    transformers: str,
    method: str,
    petaflop: float | None,
    hours: str,
    steps: int,
    batch_size: int,
    tasks: str,
    max_clips: int | None,
    device: str,
    threads: int | None,
    seed: int,
    audio: Path | None,
    output: Path,
    cache: Path | None,
    no_progress: bool,
) -> None:
    """Pre-train networks of several sizes on several amounts of audio, for the same steps or compute, and probe them.

    MANIFESTs come from `python -m byola_hear.pretraining manifest` or `match`. An amount of audio takes equally much
    from each. The probe uses validation parts only. A command that was stopped continues when run again.

    Writes size.csv, size.json, size.md, size_findings.md and size.png; with --petaflop, size_compute.csv and so on.
    """
    new_figure(1, 1)  # report a missing matplotlib before hours of work
    if threads:
        torch.set_num_threads(threads)
    if bad := [value for value in _numbers(widths, "widths") if not value.is_integer()]:
        raise ValueError(f"expected widths that are whole numbers, got {bad[0]:g}")
    cells = cells_of(
        [int(value) for value in _numbers(widths, "widths")], _numbers(hours, "hours"), _sizes(transformers)
    )
    recipe = replace(DEFAULTS[method], steps=steps, batch_size=batch_size, warm_up_steps=steps // 10, seed=seed)
    recipes = {cell: recipe_of(cell, recipe, 1e15 * (petaflop or 0.0)) for cell in cells}
    # Report wrong options before sets are decoded.
    device_of(device)
    for path in manifests:
        read_manifest(path)
    folder = cache_folder(cache)
    planned = plan(tasks, audio, folder, validation=True, max_clips=max_clips, progress=not no_progress)
    output.mkdir(parents=True, exist_ok=True)
    with tqdm(
        desc=NAME,
        total=sum(each.steps for each in recipes.values()),
        unit="step",
        disable=no_progress,
        leave=False,
        smoothing=0.02,
    ) as bar:
        numbers = table_of(recipes, manifests, runs, planned, folder, device, bar)
    about = {
        "command": command_line(),
        "recipe": recipe.to_dict(),
        "petaflop": petaflop,
        "manifests": {path.name: file_hash(path) for path in manifests},
        "tasks": [task.name for task in planned.tasks],
        "parts": "validation",
        "max_clips": max_clips,
    }
    name = COMPUTE if petaflop else NAME
    save_numbers(output, name, numbers, about)
    show_report(output, name, report(output, name))
