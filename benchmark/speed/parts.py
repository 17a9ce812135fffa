"""What each part of the way from a file to a row costs: ``python -m benchmark parts``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray

import byola_hear
from benchmark import CLIPS
from benchmark.reporting.command_line import command_line
from benchmark.reporting.markdown import NOTHING
from benchmark.reporting.provenance import measured_with, provenance
from benchmark.speed.collection_clips import recordings
from benchmark.speed.engines import difference
from benchmark.speed.race import Method, race, timed
from benchmark.speed.results import check_outputs, default_model, machine_state, show, speed_options, state_text
from byola_hear.audio.reading import read_audio
from byola_hear.cli.terminal import aligned
from byola_hear.models.frontend import log_mel

#: The audio of all rows: stereo at a usual rate.
RATE, CHANNELS, SECONDS = 44100, 2, 10.0
#: Formats by their endings, with libsndfile's names; Opus has a rate of its own.
FORMATS = {
    "wav": ("WAV", "PCM_16", RATE),
    "flac": ("FLAC", "PCM_16", RATE),
    "mp3": ("MP3", "MPEG_LAYER_III", RATE),
    "ogg": ("OGG", "VORBIS", RATE),
    "opus": ("OGG", "OPUS", 48000),
}
#: Qualities of soxr; the package uses the one of the name.
QUALITIES, USED = ("VHQ", "HQ", "MQ", "LQ"), "HQ"


def methods_of(folder: Path, name: str, others: Sequence[str] = ()) -> tuple[dict[str, Method], dict[str, float]]:
    """The parts as methods of a race.

    Args:
        folder: an empty folder.
        name: name or path of a network.
        others: names or paths of other networks to measure, too; their rate must be that of the first.

    Returns:
        The methods, and by quality of the resampler how far the embedding is from that of the quality that is used.

    Raises:
        ValueError: if another network has another rate.
    """
    model = byola_hear.load_model(name)
    audio = np.resize(recordings(CLIPS, RATE, CHANNELS), (round(RATE * SECONDS), CHANNELS))
    work: dict[str, Callable[[], object]] = {}
    for ending, (kind, subtype, rate) in FORMATS.items():
        file = folder / f"clip.{ending}"
        soundfile.write(file, soxr.resample(audio, RATE, rate).clip(-1, 1), rate, subtype, format=kind)
        work[f"decoding {ending} with soundfile"] = partial(soundfile.read, file, dtype="float32")
        work[f"reading {ending}, at {model.sample_rate} Hz"] = partial(read_audio, file, model.sample_rate)
    mono = np.ascontiguousarray(audio.mean(1))
    resampled: dict[str, NDArray[np.float32]] = {}
    for quality in QUALITIES:
        resample = partial(soxr.resample, mono, RATE, model.sample_rate, quality=quality)
        work[f"resampling, {quality}"], resampled[quality] = resample, resample()
    waveform = torch.from_numpy(resampled[USED])[None]
    window = torch.hann_window(model.config.frontend.window_length)
    sizes = (model.config.frontend.n_fft, model.config.frontend.hop_length, model.config.frontend.window_length)
    work["torch.stft"] = partial(torch.stft, waveform, *sizes, window, return_complex=True)
    work["log-mel"] = partial(log_mel, waveform, model.config.frontend)
    for network in dict.fromkeys([name, *others]):
        other = byola_hear.load_model(network)
        if other.sample_rate != model.sample_rate:
            raise ValueError(f"expected networks for {model.sample_rate} Hz, got {network} for {other.sample_rate} Hz")
        work[f"log-mel, network and pooling: {network}, float32"] = partial(other.scene_embeddings, waveform)
    found = {quality: model.scene_embeddings(torch.from_numpy(each)[None]) for quality, each in resampled.items()}
    moved = {f"resampling, {quality}": difference(each, found[USED]) for quality, each in found.items()}
    return {title: Method(title, SECONDS, timed(each)) for title, each in work.items()}, moved


def measure(name: str, turns: int, progress: bool = True, others: Sequence[str] = ()) -> dict[str, Any]:
    """Measure all parts.

    Returns:
        JSON values: ``parts``: milliseconds of CPU time for a second of audio; ``moved``; and ``about``.
    """
    state = machine_state()
    with tempfile.TemporaryDirectory() as folder:
        methods, moved = methods_of(Path(folder), name, others)
        race(methods, turns, warm_up=True, name="parts", progress=progress)
    about = {**provenance(), **state, "command": command_line(), "turns": turns, "threads": torch.get_num_threads()}
    parts = {title: 1000 / median(method.speeds("cpu")) for title, method in methods.items()}
    return {"about": about, "parts": parts, "moved": moved}


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """A result as text.

    Args:
        result: what :func:`measure` returns.
        table: makes a table from a header and rows.
    """
    about, moved = result["about"], result["moved"]
    rows = [
        [title, f"{value:.2f}", f"{100 * moved[title]:.2g} %" if moved.get(title) else NOTHING]
        for title, value in result["parts"].items()
    ]
    return "\n".join(
        [
            f"{SECONDS:g} s of real sound, {RATE} Hz, {CHANNELS} channels. {measured_with(about)} Medians of "
            f"{about['turns']} turns.{state_text(about)}",
            "",
            table(["part", "ms of CPU time per s of audio", f"moves embeddings from {USED}"], rows),
        ]
    )


@click.command("parts")
@click.option("--turns", type=click.IntRange(min=1), default=21, show_default=True, help="Number of turns of the race.")
@click.option(
    "--others",
    default="distilled-small,transformer-both",
    show_default=True,
    metavar="NAME|PATH,…",
    help="Other networks to measure, too.",
)
@speed_options
def command(model: str, turns: int, others: str, outputs: tuple[Path, ...], no_progress: bool) -> None:
    """Measure decoding, resampling, log-mel and network one by one, on one thread.

    Exit codes: 0; 2 if something that you named is not available.
    """
    check_outputs(outputs)
    torch.set_num_threads(1)
    names = [name.strip() for name in others.split(",") if name.strip()]
    show(measure(model or default_model(), turns, not no_progress, names), report, outputs)
