"""The network in each precision and by other engines: ``python -m benchmark engines``."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import torch

import byola_hear
from benchmark import CLIPS
from benchmark.reporting.command_line import command_line
from benchmark.reporting.markdown import NOTHING
from benchmark.reporting.provenance import measured_with, provenance
from benchmark.speed.embedding_methods import noise
from benchmark.speed.engine_methods import ENGINES, form
from benchmark.speed.race import Method, NotAvailable, race, timed, times_as_fast
from benchmark.speed.results import check_outputs, default_model, machine_state, show, speed_options, state_text
from byola_hear.audio.reading import read_audio
from byola_hear.cli.terminal import aligned
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.frontend import log_mel
from byola_hear.models.pooling.combination import pooled
from byola_hear.models.precision import MOST_MOVED, fastest
from byola_hear.utils.text import quantity

#: The audio in memory that is embedded; the network alone gets the log-mel of one clip. All clips have one length,
#: because torch.compile compiles anew for each.
N_CLIPS, CLIP_SECONDS = 8, 10.0
#: An engine is taken if it embeds audio in memory so many times as fast as PyTorch in the same precision; whole
#: programs gain less.
AIM = 1.3


def embeddings(features: FrameFeatures, clips: list[torch.Tensor], pooling: str) -> torch.Tensor:
    """Scene embeddings ``(n_clips, feature_size)`` float32."""
    frames: list[list[torch.Tensor]] = [[] for _ in clips]
    for index, piece in features.of_clips(clips):
        frames[index].append(piece)
    return torch.stack([pooled(torch.cat(each).float()[None], pooling)[0] for each in frames])


def difference(given: torch.Tensor, expected: torch.Tensor) -> float:
    """How far embeddings are from others, as a share of their norm: the mean over clips."""
    return float(((given - expected).norm(dim=1) / expected.norm(dim=1)).mean())


def measure(name: str, turns: int, progress: bool = True) -> dict[str, Any]:
    """Measure all engines.

    Args:
        name: name or path of a network.
        turns: turns of the race.
        progress: whether to show a progress bar on stderr.

    Returns:
        JSON values: ``engines`` by name, what ``auto`` takes, and ``about``.
    """
    model = byola_hear.load_model(name)
    config, state = model.config, machine_state()
    clips = list(noise(N_CLIPS, CLIP_SECONDS, model.sample_rate))
    n_samples = clips[0].shape[0]
    real = [
        torch.from_numpy(np.resize(read_audio(path, model.sample_rate), n_samples))
        for path in sorted(CLIPS.iterdir())
        if path.suffix != ".md"
    ]
    frames = (log_mel(clips[0][None], config.frontend) - config.mean) / config.std
    frames = frames.transpose(1, 2).contiguous()
    expected = embeddings(form(model, "float32"), real, config.pooling)
    methods, alone, missing, differences = {}, {}, {}, {}
    for engine in ENGINES:
        try:
            features = form(model, engine)
            differences[engine] = difference(embeddings(features, real, config.pooling), expected)
        except NotAvailable as error:
            missing[engine] = str(error)
            continue
        methods[engine] = Method(engine, N_CLIPS * CLIP_SECONDS, timed(_embeds(features, clips, config.pooling)))
        alone[engine] = Method(engine, CLIP_SECONDS, timed(_computes(features, frames)))
    race(methods, turns, warm_up=True, name="engines", progress=progress)
    race(alone, 4 * turns, warm_up=True, name="networks alone", progress=progress)
    measured = model.precision_speeds()
    return {
        "about": {
            **provenance(),
            "command": command_line(),
            "model": f"{config.name} {config.version}",
            "threads": torch.get_num_threads(),
            "turns": turns,
            "capability": torch.backends.cpu.get_cpu_capability(),
            **state,
        },
        "auto": {"takes": fastest(measured), "trial": measured},
        "engines": {
            engine: {"missing": missing[engine]}
            if engine in missing
            else {
                "missing": "",
                "network_per_cpu_second": median(alone[engine].speeds("cpu")),
                "per_cpu_second": median(methods[engine].speeds("cpu")),
                "per_second": median(methods[engine].speeds("wall")),
                "times_as_fast": _ratio(methods, engine, "float32"),
                "times_as_fast_in_precision": _ratio(methods, engine, ENGINES[engine][1]),
                # JSON has no NaN.
                "difference": differences[engine] if math.isfinite(differences[engine]) else None,
            }
            for engine in ENGINES
        },
    }


def _ratio(methods: dict[str, Method], engine: str, other: str) -> float:
    return times_as_fast(methods[engine].times["cpu"], methods[other].times["cpu"])


def _embeds(features: FrameFeatures, clips: list[torch.Tensor], pooling: str) -> Callable[[], object]:
    return lambda: embeddings(features, clips, pooling)


def _computes(features: FrameFeatures, frames: torch.Tensor) -> Callable[[], object]:
    @torch.no_grad()
    def work() -> torch.Tensor:
        return features.network.per_frame(features.network.in_context(frames))

    return work


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """A result as text.

    Args:
        result: what :func:`measure` returns.
        table: makes a table from a header and rows.
    """
    about, rows = result["about"], []
    for name, each in result["engines"].items():
        if each["missing"]:
            rows.append([ENGINES[name][0], *[NOTHING] * 6, each["missing"]])
            continue
        if each["difference"] is None or each["difference"] > MOST_MOVED:
            rows.append([ENGINES[name][0], *[NOTHING] * 6, "no: computes wrong numbers here"])
            continue
        own = each["times_as_fast_in_precision"]
        fast = "yes" if own >= AIM else f"no: below {AIM:g}"
        judged = [NOTHING, NOTHING] if name == ENGINES[name][1] else [f"{own:.2f}", fast]
        speeds_of = [each[key] for key in ("network_per_cpu_second", "per_cpu_second", "per_second")]
        moved = f"{100 * each['difference']:.2g} %" if each["difference"] else NOTHING
        compared = [f"{each['times_as_fast']:.2f}", moved, *judged]
        rows.append([ENGINES[name][0], *(f"{value:.0f}" for value in speeds_of), *compared])
    header = ["engine", "network alone", "per CPU second", "per second", "times as fast as float32", "moves"]
    header += ["as the same precision in PyTorch", "fast enough"]
    trial = ", ".join(f"{name} {value:.0f}" for name, value in result["auto"]["trial"].items())
    return "\n".join(
        [
            f"{about['model']}; {quantity(about['threads'], 'thread')}; PyTorch's instructions: {about['capability']}.",
            f"{measured_with(about)} Medians of {about['turns']} turns.{state_text(about)}",
            "",
            f"Speeds are in times real time: of the network alone on a log-mel of {CLIP_SECONDS:g} s, per second of "
            f"CPU time, and of {N_CLIPS} clips of {CLIP_SECONDS:g} s in memory from waveform to embedding. An engine "
            "moves the embeddings of real clips by this share of their norm, against PyTorch in float32. It is fast "
            f"enough if it is {AIM:g} times as fast as PyTorch in the same precision.",
            "",
            table(header, rows),
            "",
            f"`--precision auto` takes {result['auto']['takes']} here: in its trial, {trial} × real time.",
        ]
    )


@click.command("engines")
@click.option("--turns", type=click.IntRange(min=1), default=7, show_default=True, help="Number of turns of the race.")
@click.option("--threads", type=click.IntRange(min=1), help="Number of CPU threads. Default: PyTorch's choice.")
@speed_options
def command(model: str, turns: int, threads: int | None, outputs: tuple[Path, ...], no_progress: bool) -> None:
    """Measure the network in each precision, and computed by torch.compile and ONNX Runtime.

    With ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 in the environment, PyTorch
    computes as on a processor without AVX-512.

    Exit codes: 0; 2 if something that you named is not available.
    """
    check_outputs(outputs)
    if threads is not None:
        torch.set_num_threads(threads)
    show(measure(model or default_model(), turns, not no_progress), report, outputs)
