"""Speed, start-up time and memory of the package, beside the plain way: ``python -m benchmark speed``.

Whatever is compared runs in turns, so that a machine busy with other things slows both sides alike, and ratios are
taken turn by turn; numbers are medians.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import soundfile
import torch
from tqdm import tqdm

import byola_hear
from benchmark.baselines.untrained import untrained_model
from benchmark.reporting.markdown import markdown
from benchmark.reporting.provenance import provenance
from benchmark.speed.children import measured
from benchmark.speed.race import CLIP_SECONDS, N_CLIPS, race, ratio, sound
from byola_hear.cli.errors import Finite
from byola_hear.cli.terminal import aligned
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.utils.files import replacing

#: What the project aims at.
AIMS = {"scene": 1.5, "timestamps": 15.0, "start_up_seconds": 3.0, "peak_bytes": 1.5e9}


def write_long_file(path: Path, seconds: float, sample_rate: int) -> None:
    """A WAV file of that length, int16, written a minute at a time."""
    minute = (sound(1, 60.0, sample_rate)[0].numpy() * 32767).clip(-32768, 32767).astype(np.int16)
    remaining = round(seconds * sample_rate)
    with soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16") as file:
        while remaining > 0:
            file.write(minute[:remaining])
            remaining -= len(minute)


def measure(name: str, turns: int, starts: int, hours: float, progress: bool = True) -> dict[str, Any]:
    """Everything that the command prints.

    Args:
        name: a model's name or path; ``"untrained"`` for a network of the v2 shape with random weights.
        turns: of the race.
        starts: processes started to take the start-up time from.
        hours: length of the long file and tensor; 0 leaves them out.
        progress: show what is going on on stderr.

    Returns:
        JSON values: ``speed`` (by contestant), ``ratios``, ``start_up`` (medians, s), ``memory`` and ``about``.
    """
    with tempfile.TemporaryDirectory() as folder:
        if name == "untrained":
            name = str(Path(folder) / "untrained.safetensors")
            save_checkpoint(name, untrained_model(0, -8.0, 4.5))
        if name not in byola_hear.list_models():
            # The processes that are started run elsewhere.
            name = str(Path(name).absolute())
        model = byola_hear.load_model(name)
        contestants, front_end = race(model, turns, progress)
        speed = {
            key: {
                "what": each.name,
                "per_cpu_second": median(each.speeds("cpu")),
                "per_second": median(each.speeds("wall")),
            }
            for key, each in contestants.items()
        }
        ratios = {
            kind: {
                "scene": ratio(contestants["scene"], contestants["plain"], kind),
                "timestamps": ratio(contestants["timestamps"], contestants["windows"], kind),
                "timestamps_own": ratio(contestants["timestamps"], contestants["own_windows"], kind),
            }
            for kind in ("cpu", "wall")
        }
        several = [
            measured("start_up", name)
            for _ in tqdm(range(starts), "start-up", unit="start", disable=not progress, leave=False)
        ]
        start_up = {key: median(each[key] for each in several) for key in several[0]}
        memory = {}
        if hours:
            with tqdm(total=2, desc=f"memory of {hours:g} h", unit="run", disable=not progress, leave=False) as bar:
                long_file = Path(folder) / "long.wav"
                write_long_file(long_file, hours * 3600, model.sample_rate)
                memory["file"] = measured("memory_of_file", name, str(long_file), str(Path(folder) / "table.csv"))
                bar.update()
                memory["tensor"] = measured("memory_of_tensor", name, str(hours * 3600))
                bar.update()
    about = {
        **provenance(),
        "model": f"{model.config.name} {model.config.version}",
        "plain_front_end": front_end,
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "turns": turns,
        "starts": starts,
        "hours": hours,
    }
    return {"about": about, "speed": speed, "ratios": ratios, "start_up": start_up, "memory": memory}


def verdicts(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What was aimed at and what came of it: ``(what, measured, aim, yes or no)``."""
    ratios, start_up, memory = result["ratios"], result["start_up"], result["memory"]
    lines = []
    for kind, unit in (("cpu", "CPU time"), ("wall", "wall time")):
        for key, what in (
            ("scene", "scene, times the plain network's"),
            ("timestamps", "timestamps, times the plain network's windows"),
            ("timestamps_own", "timestamps, times this package's own windows"),
        ):
            aim = AIMS["scene" if key == "scene" else "timestamps"]
            reached = ratios[kind][key] >= aim
            lines.append((f"{what} ({unit})", f"{ratios[kind][key]:.2f}", f"≥ {aim:g}", _said(reached)))
    aim = AIMS["start_up_seconds"]
    parts = f"import {start_up['import']:.2f}, load {start_up['load']:.2f}, first clip {start_up['first_clip']:.2f}"
    total = start_up["total"]
    lines.append((f"start-up beyond torch's import: {parts}", f"{total:.2f} s", f"< {aim:g} s", _said(total < aim)))
    for key, what in (("file", "file, byola-hear embed"), ("tensor", "tensor, get_scene_embeddings")):
        if key in memory:
            peak, hours, aim = memory[key]["peak_bytes"], result["about"]["hours"], AIMS["peak_bytes"]
            reached = _said(peak < aim) if hours >= 3 else "aim is for 3 h"
            lines.append((f"peak memory, {hours:g} h {what}", f"{peak / 1e9:.2f} GB", f"< {aim / 1e9:g} GB", reached))
    return lines


def _said(reached: bool) -> str:
    return "yes" if reached else "no"


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """The result as text.

    Args:
        result: what :func:`measure` gives.
        table: makes a table of a header and rows: for the terminal, or :func:`benchmark.reporting.markdown.markdown`.

    Returns:
        Lines.
    """
    about = result["about"]
    rows = [
        [each["what"], f"{each['per_cpu_second']:.1f}", f"{each['per_second']:.1f}"]
        for each in result["speed"].values()
    ]
    return "\n".join(
        [
            f"{about['model']}; {N_CLIPS} clips of {CLIP_SECONDS:g} s; {about['threads']} threads.",
            f"{about['hardware']}.",
            f"Plain front end: {about['plain_front_end']}; medians of {about['turns']} turns.",
            "",
            table(["seconds of audio", "per CPU second", "per second"], rows),
            "",
            table(["what is aimed at", "measured", "aim", "reached"], [list(line) for line in verdicts(result)]),
        ]
    )


@click.command("speed")
@click.option("--model", default="", metavar="NAME|PATH", help="Default: both, or untrained where it is not there.")
@click.option("--quick", is_flag=True, help="Fewer repeats, and a quarter of an hour for the memory.")
@click.option("--turns", type=click.IntRange(min=1), help="Turns of the race. Default: 7, quick 2.")
@click.option("--hours", type=Finite(min=0), help="Length for the memory, 0 for none. Default: 3, quick 0.25.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads that torch uses. Default: torch's own choice.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write .json (all numbers) or .md (what is shown); may be given several times.",
)
@click.option("--no-progress", is_flag=True, help="No bar on stderr.")
def speed_command(
    model: str,
    quick: bool,
    turns: int | None,
    hours: float | None,
    threads: int | None,
    outputs: tuple[Path, ...],
    no_progress: bool,
) -> None:
    """Seconds of audio per second beside the plain way, start-up time and peak memory, beside what is aimed at.

    Exit codes: 0, whether or not the aims are reached, or 2 where something that was asked for can't be had.
    """
    for output in outputs:
        if output.suffix not in (".json", ".md") or not output.absolute().parent.is_dir():
            raise ValueError(f"expected an output file that ends in .json or .md in a folder that exists, got {output}")
    if threads is not None:
        torch.set_num_threads(threads)
        # For the processes that are started.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    if not model:
        model = "both" if "both" in byola_hear.list_models() else "untrained"
    result = measure(
        model,
        turns or (2 if quick else 7),
        2 if quick else 5,
        (0.25 if quick else 3.0) if hours is None else hours,
        not no_progress,
    )
    click.echo(report(result))
    for output in outputs:
        text = json.dumps(result, indent=1) if output.suffix == ".json" else report(result, markdown)
        with replacing(output) as stream:
            stream.write((text.rstrip() + "\n").encode())
        click.echo(f"written: {output}", err=True)
