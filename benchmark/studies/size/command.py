"""``python -m benchmark size``: widths by volumes of pre-training data, in a table and a figure."""

from __future__ import annotations

from pathlib import Path

import click
import torch
from tqdm import tqdm

from benchmark.datasets.labelled_set import AUDIO_VARIABLE, CACHE_VARIABLE, cache_folder, file_hash
from benchmark.probes.plan import plan
from benchmark.reporting.command_line import command_line
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import save_numbers
from benchmark.studies.size.report import NAME, report
from benchmark.studies.size.run import cells_of, table_of
from benchmark.studies.study import RESULTS, show_report
from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.training.distributed import device_of
from byola_hear.pretraining.training.recipe import Recipe


def _numbers(text: str, what: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise click.UsageError(f"expected --{what} as numbers with commas between, got {text!r}") from None


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
    help="Where audio, runs and checkpoints are kept; what is there is not done again.",
)
@click.option("--widths", default="512,1024,2048", show_default=True, help="Multiples of 32; 2048 is the v2 shape.")
@click.option("--hours", default="1,5,25", show_default=True, help="Of audio, equally much of each manifest.")
@click.option("--steps", default=320, show_default=True, help="Of each network.")
@click.option("--batch-size", default=32, show_default=True, help="Crops a step.")
@click.option("--tasks", default="core", show_default=True, help="As of `python -m benchmark probe`.")
@click.option("--max-clips", type=click.IntRange(min=50), help="Clips of a task at most, for a quick look.")
@click.option("--device", default="auto", show_default=True, help="That trains: auto, cpu, cuda …")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; torch's own choice by default.")
@click.option("--seed", default=42, show_default=True, help="Of volumes, networks and crops.")
@click.option(
    "--audio",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Labelled sets to probe on. Default: ${AUDIO_VARIABLE}, else ../shared/audio/tasks beside the checkout.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    metavar="FOLDER",
    help="Where to write table and figure; made if need be. Default: benchmark/results.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Decoded audio and embeddings, safe to delete. Default: ${CACHE_VARIABLE}, else one in ~/.cache.",
)
@click.option("--no-progress", is_flag=True, help="No bar on stderr.")
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
    """Networks of several widths, each pre-trained on several volumes of audio for equally many steps, and probed.

    MANIFESTs are those of `python -m byola_hear.pretraining manifest` or `match`: two matched ones give equally
    much of each. Probed on validation parts only. Interrupted, the same command goes on where it stopped.
    """
    new_figure(1, 1)  # whoever lacks matplotlib is told before hours of work
    if threads:
        torch.set_num_threads(threads)
    if bad := [value for value in _numbers(widths, "widths") if not value.is_integer()]:
        raise ValueError(f"expected widths that are whole numbers, got {bad[0]:g}")
    cells = cells_of([int(value) for value in _numbers(widths, "widths")], _numbers(hours, "hours"))
    recipe = Recipe(steps=steps, batch_size=batch_size, warm_up_steps=steps // 10, seed=seed)
    # Whatever was asked for wrongly is told before sets are decoded.
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
