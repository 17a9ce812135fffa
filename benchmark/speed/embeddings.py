"""Speed, start-up time and memory of the package, compared with plain references: ``python -m benchmark speed``."""

from __future__ import annotations

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
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import measured_with, provenance
from benchmark.speed.children import first_row, measured
from benchmark.speed.embedding_methods import TITLES, embedding_methods, noise
from benchmark.speed.race import Method, race, times_as_fast
from benchmark.speed.results import check_outputs, default_model, machine_state, show, speed_options, state_text
from byola_hear.cli.terminal import aligned
from byola_hear.cli.types import Finite
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.utils.text import quantity

#: The project's aims.
AIMS = {"scene": 1.5, "timestamps": 15.0, "start_up_seconds": 3.0, "first_row_seconds": 2.0, "peak_bytes": 1.5e9}
#: The clips that are embedded in the race.
N_CLIPS, CLIP_SECONDS = 8, 10.0


def write_long_file(path: Path, seconds: float, sample_rate: int) -> None:
    """Write a long WAV file, int16, minute by minute."""
    minute = (noise(1, 60.0, sample_rate)[0].numpy() * 32767).clip(-32768, 32767).astype(np.int16)
    remaining = round(seconds * sample_rate)
    with soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16") as file:
        while remaining > 0:
            file.write(minute[:remaining])
            remaining -= len(minute)


def measure(name: str, turns: int, starts: int, hours: float, progress: bool = True) -> dict[str, Any]:
    """Measure everything that the command reports.

    Args:
        name: name or path of a network; ``"untrained"`` for one of the v2 shape with random weights.
        turns: turns of the race.
        starts: processes to measure the start-up time with.
        hours: length of the long file and tensor; 0 skips the memory.
        progress: whether to show progress bars on stderr.

    Returns:
        JSON values: ``speed`` (by method), ``ratios``, ``start_up`` (medians, s), ``memory`` and ``about``.
    """
    state = machine_state()
    with tempfile.TemporaryDirectory() as folder:
        if name == "untrained":
            name = str(Path(folder) / "untrained.safetensors")
            save_checkpoint(name, untrained_model(0, -8.0, 4.5))
        if name not in byola_hear.list_models():
            # Child processes run in another folder.
            name = str(Path(name).absolute())
        model = byola_hear.load_model(name)
        methods, front_end = embedding_methods(model, N_CLIPS, CLIP_SECONDS)
        race(methods, turns, warm_up=True, name="speed", progress=progress)
        speed = {
            key: {
                "what": each.title,
                "per_cpu_second": median(each.speeds("cpu")),
                "per_second": median(each.speeds("wall")),
            }
            for key, each in methods.items()
        }
        ratios = {
            kind: {
                "scene": _ratio(methods["scene"], methods["plain"], kind),
                "timestamps": _ratio(methods["timestamps"], methods["windows"], kind),
                "timestamps_own": _ratio(methods["timestamps"], methods["own_windows"], kind),
            }
            for kind in ("cpu", "wall")
        }
        several = [
            measured("start_up", name)
            for _ in tqdm(range(starts), "start-up", unit="start", disable=not progress, leave=False)
        ]
        start_up = {key: median(each[key] for each in several) for key in several[0]}
        write_long_file(Path(folder) / "clip.wav", 1.0, model.sample_rate)
        files = str(Path(folder) / "clip.wav"), str(Path(folder) / "row.parquet")
        start_up["first_row"] = median(first_row(name, *files) for _ in range(starts))
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
        "command": command_line(),
        "model": f"{model.config.name} {model.config.version}",
        "plain_front_end": front_end,
        "threads": torch.get_num_threads(),
        **state,
        "turns": turns,
        "starts": starts,
        "hours": hours,
    }
    return {"about": about, "speed": speed, "ratios": ratios, "start_up": start_up, "memory": memory}


def _ratio(ours: Method, theirs: Method, kind: str) -> float:
    """How many times as fast per second of audio."""
    each = [[seconds / method.seconds for seconds in method.times[kind]] for method in (ours, theirs)]
    return times_as_fast(*each)


def verdicts(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Compare a result with the aims: what, measured, aim, and whether it was reached."""
    ratios, start_up, memory = result["ratios"], result["start_up"], result["memory"]
    lines = []
    for kind, unit in (("cpu", "CPU time"), ("wall", "wall time")):
        for key, what in (
            ("scene", "scene embeddings, times as fast as the plain network"),
            ("timestamps", "timestamps, times as fast as windows with the plain network"),
            ("timestamps_own", "timestamps, times as fast as windows with this package"),
        ):
            aim = AIMS["scene" if key == "scene" else "timestamps"]
            reached = ratios[kind][key] >= aim
            lines.append((f"{what} ({unit})", f"{ratios[kind][key]:.2f}", f"≥ {aim:g}", _yes_or_no(reached)))
    aim = AIMS["start_up_seconds"]
    parts = f"import {start_up['import']:.2f}, load {start_up['load']:.2f}, first clip {start_up['first_clip']:.2f}"
    total = start_up["total"]
    lines.append(
        (f"start-up after importing torch: {parts}", f"{total:.2f} s", f"< {aim:g} s", _yes_or_no(total < aim))
    )
    if "first_row" in start_up:
        seconds, aim = start_up["first_row"], AIMS["first_row_seconds"]
        what = f"byola-hear embed of one clip to a table, from start to end: importing torch {start_up['torch']:.2f}"
        lines.append((what, f"{seconds:.2f} s", f"< {aim:g} s", _yes_or_no(seconds < aim)))
    for key, what in (("file", "file, byola-hear embed"), ("tensor", "tensor, get_scene_embeddings")):
        if key in memory:
            peak, hours, aim = memory[key]["peak_bytes"], result["about"]["hours"], AIMS["peak_bytes"]
            reached = _yes_or_no(peak < aim) if hours >= 3 else "the aim is for 3 h"
            lines.append((f"peak memory, {hours:g} h {what}", f"{peak / 1e9:.2f} GB", f"< {aim / 1e9:g} GB", reached))
    return lines


def _yes_or_no(reached: bool) -> str:
    return "yes" if reached else "no"


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """A result as text.

    Args:
        result: what :func:`measure` returns.
        table: makes a table from a header and rows: for the terminal, or :func:`benchmark.reporting.markdown.markdown`.

    Returns:
        Lines.
    """
    about = result["about"]
    rows = [
        [TITLES[name], f"{each['per_cpu_second']:.1f}", f"{each['per_second']:.1f}"]
        for name, each in result["speed"].items()
    ]
    return "\n".join(
        [
            f"{about['model']}; {N_CLIPS} clips of {CLIP_SECONDS:g} s; {quantity(about['threads'], 'thread')}.",
            measured_with(about) + state_text(about),
            f"Front end of the plain network: {about['plain_front_end']}; medians of {about['turns']} turns.",
            "",
            table(["seconds of audio", "per CPU second", "per second"], rows),
            "",
            table(["aim", "measured", "target", "reached"], [list(line) for line in verdicts(result)]),
        ]
    )


@click.command("speed")
@click.option("--quick", is_flag=True, help="Repeat less often, and measure the memory with 15 minutes of audio.")
@click.option("--turns", type=click.IntRange(min=1), help="Number of turns of the race. Default: 7; with --quick 2.")
@click.option(
    "--hours",
    type=Finite(min=0),
    help="Hours of audio to measure the memory with; 0 skips this. Default: 3; with --quick 0.25.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Number of CPU threads. Default: PyTorch's choice.")
@speed_options
def command(
    model: str,
    quick: bool,
    turns: int | None,
    hours: float | None,
    threads: int | None,
    outputs: tuple[Path, ...],
    no_progress: bool,
) -> None:
    """Measure the speed of embeddings next to plain references, start-up time and peak memory.

    Exit codes: 0, whether or not the aims are reached; 2 if something that you named is not available.
    """
    check_outputs(outputs)
    if threads is not None:
        torch.set_num_threads(threads)
        # For the child processes.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    result = measure(
        model or default_model(),
        turns or (2 if quick else 7),
        2 if quick else 5,
        (0.25 if quick else 3.0) if hours is None else hours,
        not no_progress,
    )
    show(result, report, outputs)
