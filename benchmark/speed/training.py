"""Speed and cost of pre-training, by kind of encoder and method: ``python -m benchmark training``.

A CPU is measured in core-seconds, which other programs on the machine change little. A GPU is measured by the clock.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch

from benchmark.reporting.provenance import provenance
from benchmark.speed.race import Method, race, times_as_fast
from benchmark.speed.results import check_outputs, output_options, show
from benchmark.speed.training_methods import REFERENCE, noise_cache, recipes, training_methods
from byola_hear.cli.terminal import aligned
from byola_hear.cli.types import Finite
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.pretraining.training.cost import operations_per_crop
from byola_hear.pretraining.training.distributed import device_of
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.training.precision import precision_for
from byola_hear.utils.text import quantity

#: Numbers of devices that a long run is planned for.
DEVICES = (1, 8, 64)


def measure(
    made: dict[str, Recipe], turns: int, device: torch.device, precision: str, progress: bool = True
) -> dict[str, dict[str, Any]]:
    """Time training steps.

    Args:
        made: the recipes by name, :data:`REFERENCE` among them.
        turns: turns of the race, after one that does not count.
        device: device that trains.
        precision: as for ``python -m byola_hear.pretraining train``.
        progress: whether to show a progress bar on stderr.

    Returns:
        By name: ``parameters`` of the encoder, ``operations`` for a second of audio, ``crops`` and ``seconds`` of audio
        trained on per second of a device, ``sustained`` operations per second, and how many times as fast as the
        reference per second of audio (``ratio``).
    """
    kind = "cpu" if device.type == "cpu" else "wall"
    with tempfile.TemporaryDirectory() as folder:
        methods = training_methods(made, noise_cache(), device, precision, Path(folder))
        race(methods, turns, warm_up=True, name="training", progress=progress)
    found = {}
    for name, recipe in made.items():
        crop_seconds = recipe.crop_frames / 100
        operations = operations_per_crop(recipe) / crop_seconds
        seconds = median(methods[name].speeds(kind))
        found[name] = {
            "parameters": _parameters(recipe),
            "crop_seconds": crop_seconds,
            "batch_size": recipe.batch_size,
            "operations": operations,
            "seconds": seconds,
            "crops": seconds / crop_seconds,
            "sustained": operations * seconds,
            "ratio": _ratio(methods[name], methods[REFERENCE], kind),
        }
    return found


def _parameters(recipe: Recipe) -> int:
    with torch.device("meta"):
        return sum(each.numel() for each in build_encoder(recipe.encoder).parameters())


def _ratio(method: Method, reference: Method, kind: str) -> float:
    """How many times as fast per second of audio."""
    each = [[seconds / one.seconds for seconds in one.times[kind]] for one in (method, reference)]
    return times_as_fast(*each)


def planned_hours(audio_hours: float, passes: float, speed: float, devices: int, kept: float) -> float:
    """Hours that a run takes.

    Args:
        audio_hours: hours of audio.
        passes: how often each is trained on.
        speed: seconds of audio per second on one device.
        devices: number of devices.
        kept: share of the speed of a device that is left after each doubling of their number.

    Example:
        >>> planned_hours(5000, 10, 50, 1, 0.97), round(planned_hours(5000, 10, 50, 8, 0.97), 1)
        (1000.0, 137.0)
    """
    share = kept ** (devices.bit_length() - 1)
    return audio_hours * passes / (speed * devices * share)


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """A result as text.

    Args:
        result: ``rows`` as :func:`measure` returns them, and ``about``.
        table: makes a table from a header and rows: for the terminal, or :func:`benchmark.reporting.markdown.markdown`.

    Returns:
        Lines.
    """
    about, rows = result["about"], result["rows"]
    unit = "core-second" if about["device"] == "cpu" else "second"
    device = "core" if about["device"] == "cpu" else "GPU"
    speeds = [
        [
            name,
            f"{row['parameters'] / 1e6:.2f} M",
            f"{row['crop_seconds']:g} s",
            f"{row['crops']:.1f}",
            f"{row['seconds']:.1f}",
            f"{row['operations'] / 1e9:.2f}",
            f"{row['sustained'] / 1e9:.0f}",
            f"{row['ratio']:.2f}",
        ]
        for name, row in rows.items()
    ]
    header = ["encoder, method", "parameters", "crop", f"crops per {unit}", f"seconds of audio per {unit}"]
    header += ["GFLOP per second of audio", f"GFLOP per {unit}", "times as fast"]
    hours, passes, kept = about["hours"], about["passes"], about["kept"]
    plans = [
        [
            name,
            f"{row['operations'] * hours * passes * 3600 / 1e18:.2f}",
            *(f"{planned_hours(hours, passes, row['seconds'], count, kept):,.0f}" for count in about["devices"]),
        ]
        for name, row in rows.items()
    ]
    plan_header = ["encoder, method", "EFLOP"]
    plan_header += [f"hours on {count} {device}{'s' if count > 1 else ''}" for count in about["devices"]]
    machine = about["device_name"] or about["hardware"]
    peak = ""
    if about["peak"]:
        best = max(row["sustained"] for row in rows.values()) / 1e12 / about["peak"]
        peak = f" The best row sustains {best:.0%} of the {device}'s peak of {about['peak']:g} TFLOP/s."
    return "\n".join(
        [
            f"{machine}; {about['precision']}; {quantity(about['threads'], 'thread')}; "
            f"medians of {about['turns']} turns.",
            f"The load of the machine was {about['load_average']:.1f}. FLOP are counted, not measured.{peak}",
            "",
            table(header, speeds),
            "",
            f"A run over {hours:g} hours of audio, each trained on {passes:g} times. Extrapolated: the speed is that "
            f"measured on one {device}, each doubling of the number of {device}s keeps {kept:.0%} of it, and reading "
            "takes no time.",
            "",
            table(plan_header, plans),
        ]
    )


@click.command("training")
@click.option("--turns", type=click.IntRange(min=1), default=5, show_default=True, help="Number of turns of the race.")
@click.option(
    "--batch-seconds", default=64.0, show_default=True, type=Finite(min=2), help="Seconds of audio in a step."
)
@click.option("--width", default=192, show_default=True, help="Width of the transformer.")
@click.option("--layers", default=6, show_default=True, help="Number of layers of the transformer.")
@click.option("--device", default="auto", show_default=True, help="Device for training: auto, cpu, cuda …")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Precision of the computation.",
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Number of CPU threads.")
@click.option("--hours", default=5000.0, show_default=True, type=Finite(min=0), help="Hours of audio of the long run.")
@click.option("--passes", default=10.0, show_default=True, type=Finite(min=0), help="How often each is trained on.")
@click.option(
    "--kept",
    default=0.97,
    show_default=True,
    type=Finite(min=0, max=1),
    help="Share of a device's speed that is left after each doubling of the number of devices: an assumption.",
)
@click.option(
    "--peak", type=Finite(min=0), help="Peak of a device in TFLOP/s, as its maker states it, to show the share reached."
)
@output_options
def command(
    turns: int,
    batch_seconds: float,
    width: int,
    layers: int,
    device: str,
    precision: str,
    threads: int,
    hours: float,
    passes: float,
    kept: float,
    peak: float | None,
    outputs: tuple[Path, ...],
    no_progress: bool,
) -> None:
    """Measure the speed of pre-training by kind of encoder and method, and plan a long run from it.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    check_outputs(outputs)
    torch.set_num_threads(threads)
    chosen = device_of(device)
    made = recipes(batch_seconds, width, layers)
    dtype = precision_for(precision, chosen)
    about = {
        **provenance(),
        "device": chosen.type,
        "device_name": torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else "",
        "precision": "float32" if dtype is None else str(dtype).removeprefix("torch."),
        "threads": threads,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        "turns": turns,
        "hours": hours,
        "passes": passes,
        "kept": kept,
        "peak": peak,
        "devices": list(DEVICES),
    }
    show({"about": about, "rows": measure(made, turns, chosen, precision, not no_progress)}, report, outputs)
