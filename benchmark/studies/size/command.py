"""``python -m benchmark size``: networks of several widths and volumes of pre-training data."""

from __future__ import annotations

from pathlib import Path

import click
import torch
from tqdm import tqdm

from benchmark.datasets.labelled_set import cache_folder, file_hash
from benchmark.probes.plan import plan
from benchmark.reporting import options
from benchmark.reporting.command_line import command_line
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import save_numbers
from benchmark.studies.size.report import NAME, report
from benchmark.studies.size.run import cells_of, table_of
from benchmark.studies.study import show_report
from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.training.distributed import device_of
from byola_hear.pretraining.training.recipe import Recipe


def _numbers(text: str, what: str) -> list[float]:
    """Parse numbers separated by commas."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise click.UsageError(f"expected --{what} as numbers separated by commas, got {text!r}") from None


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
@click.option("--widths", default="512,1024,2048", show_default=True, help="Layer widths, multiples of 32.")
@click.option("--hours", default="1,5,25", show_default=True, help="Hours of audio, equally much of each manifest.")
@click.option("--steps", default=320, show_default=True, help="Training steps of each network.")
@click.option("--batch-size", default=32, show_default=True, help="Crops in a training step.")
@click.option("--tasks", default="core", show_default=True, help="Tasks, as for `python -m benchmark probe`.")
@click.option("--max-clips", type=click.IntRange(min=50), help="Largest number of clips of a task.")
@click.option("--device", default="auto", show_default=True, help="Device for training: auto, cpu, cuda …")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads. Default: PyTorch's choice.")
@click.option("--seed", default=42, show_default=True, help="Seed of volumes, networks and crops.")
@options.audio
@options.results
@options.cache
@options.no_progress
def size_command(
    manifests: tuple[Path, ...],
    runs: Path,
    widths: str,
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
    """Pre-train networks of several widths on several volumes of audio, for the same number of steps, and probe them.

    MANIFESTs come from `python -m byola_hear.pretraining manifest` or `match`. A volume has equally much of each. The
    probe uses validation parts only. A command that was stopped continues when run again.
    """
    new_figure(1, 1)  # report a missing matplotlib before hours of work
    if threads:
        torch.set_num_threads(threads)
    if bad := [value for value in _numbers(widths, "widths") if not value.is_integer()]:
        raise ValueError(f"expected widths that are whole numbers, got {bad[0]:g}")
    cells = cells_of([int(value) for value in _numbers(widths, "widths")], _numbers(hours, "hours"))
    recipe = Recipe(steps=steps, batch_size=batch_size, warm_up_steps=steps // 10, seed=seed)
    # Report wrong options before sets are decoded.
    device_of(device)
    for path in manifests:
        read_manifest(path)
    folder = cache_folder(cache)
    planned = plan(tasks, audio, folder, validation=True, max_clips=max_clips, progress=not no_progress)
    output.mkdir(parents=True, exist_ok=True)
    with tqdm(
        desc=NAME, total=len(cells) * steps, unit="step", disable=no_progress, leave=False, smoothing=0.02
    ) as bar:
        numbers = table_of(cells, manifests, recipe, runs, planned, folder, device, bar)
    about = {
        "command": command_line(),
        "recipe": recipe.to_dict(),
        "manifests": {path.name: file_hash(path) for path in manifests},
        "tasks": [task.name for task in planned.tasks],
        "parts": "validation",
        "max_clips": max_clips,
    }
    save_numbers(output, NAME, numbers, about)
    show_report(output, NAME, report(output))
