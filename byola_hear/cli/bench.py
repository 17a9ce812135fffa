"""``byola-hear bench``: how fast this machine is, and with which settings."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

import click
import numpy as np
import soundfile
import torch

from byola_hear.audio.reading import read_audio, read_blocks
from byola_hear.cli.embed import found_clips, loaded_model
from byola_hear.cli.errors import Failure, Finite, one_line
from byola_hear.cli.terminal import aligned
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import CPU_BATCH_SECONDS, DEVICE_BATCH_SECONDS, FILE_ERRORS, extract, failed
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Done
from byola_hear.models.model import ByolaModel

#: Files that are looked at of a larger collection, evenly spread, and the seconds of each that are used.
MOST_FILES, MOST_SECONDS = 200, 60.0
#: Made up where no files are given: how many, seconds, Hz, channels.
MADE_UP = (20, 10.0, 44100, 2)
#: Seconds of audio that the network alone is given at a time.
NETWORK_SECONDS = 60.0
#: Share of the best speed from which on more workers are not worth having.
GOOD_ENOUGH = 0.95


@click.command("bench")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--model", "name", default="", metavar="NAME|PATH", help="See `byola-hear models`. Default: both.")
@click.option("--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1, mps.")
@click.option(
    "--threads", type=click.IntRange(1, 1024), help="CPU threads of the network; torch's own choice by default."
)
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=Finite(0.5, 600),
    help="Time that all measurements together may take.",
)
def command(paths: tuple[str, ...], name: str, device: str, threads: int | None, seconds: float) -> int:
    """Measure decoding, the network and both together, and say how many workers `byola-hear embed` should have.

    On the files, folders or patterns that are given (at most a minute of each of 200 files), else on FLAC files of
    noise made for the occasion. Nothing is written.

    Exit codes: 0, all is well; 1, one of several paths is missing, or no file can be read; 2, wrong usage, such as
    paths of which none is there.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    model = loaded_model(name, device)
    with tempfile.TemporaryDirectory() as folder:
        found, absent = found_clips(paths, (), None, None) if paths else (made_up(Path(folder)), [])
        missing = [one_line(Exception(f"{each.clip.file}: {each.reason}")) for each in absent]
        if not found:
            raise click.UsageError(missing[0] if missing else "expected files to measure, got an empty list")
        for message in missing:
            click.echo(f"error: {message}", err=True)
        spread = found[:: max(1, -(-len(found) // MOST_FILES))]
        # The shares of the time add up to one.
        clips, decoding = looked_at(spread, model.sample_rate, 0.15 * seconds)
        cores = os.cpu_count() or 1
        rows = [("decoding, 1 thread", decoding)]
        if cores > 1:
            several = decoded(clips, model.sample_rate, cores, 0.15 * seconds)
            rows.append((f"decoding, {cores} threads", several))
        rows.append((f"network alone, {where(model)}", network(clips, model, 0.2 * seconds)))
        candidates = sorted({1, 2, cores})
        whole = {
            workers: files_to_rows(clips, model, workers, 0.5 * seconds / len(candidates)) for workers in candidates
        }
    rows += [(f"files to rows, --workers {workers}", speed) for workers, speed in whole.items()]
    chosen = next(workers for workers in candidates if whole[workers] >= GOOD_ENOUGH * max(whole.values()))
    batch = CPU_BATCH_SECONDS if model_device(model).type == "cpu" else DEVICE_BATCH_SECONDS
    what = f"{len(clips)} of {len(found)} files" if paths else "made-up FLAC files, 44.1 kHz stereo"
    click.echo(f"{what}; model {model.config.name} {model.config.version}; batches of {batch:g} s\n")
    lines = [[way, f"{speed:.3g}" if speed < 100 else f"{speed:.0f}"] for way, speed in rows]
    click.echo(aligned(["what", "× real time"], lines))
    click.echo(f"\n--workers {chosen}; a hundred hours of such sound take about {took(360000 / whole[chosen])}")
    return 1 if missing else 0


def made_up(folder: Path) -> list[Clip]:
    """FLAC files of noise that comes and goes.

    Args:
        folder: where to.

    Returns:
        The files.
    """
    n_files, seconds, rate, channels = MADE_UP
    rng = np.random.default_rng(0)
    shape = (round(seconds * rate), channels)
    swell = np.sin(np.linspace(0, 3 * seconds, shape[0]))[:, None] ** 2
    noise = 0.1 * rng.standard_normal(shape) * swell
    files = [folder / f"{number:02}.flac" for number in range(n_files)]
    for file in files:
        noise = np.roll(noise, rate // 3, axis=0)
        soundfile.write(file, noise, rate, subtype="PCM_16")
    return [Clip(str(file)) for file in files]


def looked_at(clips: list[Clip], sample_rate: int, budget: float) -> tuple[list[Clip], float]:
    """What can be used of files, and how fast one thread decodes them.

    Args:
        clips: whole files.
        sample_rate: to decode to, Hz.
        budget: seconds to spend; at least one good file is read whatever it takes.

    Returns:
        Stretches of at most a minute at the beginning of the good files, as far as the time went; and seconds of
        audio per second.
    """
    good: list[Clip] = []
    heard, reason, began = 0.0, "", time.perf_counter()
    for clip in clips:
        if good and time.perf_counter() - began > budget:
            break
        try:
            n_samples = sum(map(len, _first_blocks(clip, sample_rate)))
        except FILE_ERRORS as error:
            reason = f"{clip.file}: {failed(clip, error).reason}"
            continue
        length = n_samples / sample_rate
        good.append(clip if length < MOST_SECONDS else Clip(clip.file, 0.0, MOST_SECONDS))
        heard += length
    if not good:
        raise Failure(f"no file can be read: {reason}")
    return good, heard / (time.perf_counter() - began)


def _first_blocks(clip: Clip, sample_rate: int) -> Iterator[np.ndarray]:
    """Blocks of the first minute of a file."""
    with closing(read_blocks(clip.file, sample_rate, MOST_SECONDS / 6)) as blocks:  # type: ignore[type-var]
        yield from islice(blocks, 6)


def decoded(clips: list[Clip], sample_rate: int, threads: int, budget: float) -> float:
    """Seconds of audio that threads decode per second, going round and round the clips.

    Args:
        clips: good ones.
        sample_rate: to decode to, Hz.
        threads: how many.
        budget: seconds to spend.
    """
    began = time.perf_counter()

    def decode(number: int) -> float:
        heard = 0.0
        for clip in islice(cycle(clips), number * len(clips) // threads, None):
            if heard and time.perf_counter() - began > budget:
                break
            heard += len(read_audio(clip.file, sample_rate, clip.start, clip.end)) / sample_rate
        return heard

    with ThreadPoolExecutor(threads) as pool:
        heard = sum(pool.map(decode, range(threads)))
    return heard / (time.perf_counter() - began)


def network(clips: list[Clip], model: ByolaModel, budget: float) -> float:
    """Seconds of audio, decoded before, that the network embeds per second.

    Args:
        clips: good ones.
        model: the network.
        budget: seconds to spend.
    """
    waveforms: list[torch.Tensor] = []
    n_samples = 0
    for clip in cycle(clips):
        waveforms.append(torch.from_numpy(read_audio(clip.file, model.sample_rate, clip.start, clip.end)))
        n_samples += len(waveforms[-1])
        if n_samples >= NETWORK_SECONDS * model.sample_rate or len(waveforms) >= 1000:
            break
    model.scene_embeddings(waveforms[:1])
    rounds, began = 0, time.perf_counter()
    while not rounds or time.perf_counter() - began < budget:
        model.scene_embeddings(waveforms)
        rounds += 1
    return rounds * n_samples / model.sample_rate / (time.perf_counter() - began)


def files_to_rows(clips: list[Clip], model: ByolaModel, workers: int, budget: float) -> float:
    """Seconds of audio that are read and embedded per second, going round and round the clips.

    Args:
        clips: good ones.
        model: the network.
        workers: threads that decode.
        budget: seconds after which nothing is begun any more.
    """
    request = request_for(model)
    began = time.perf_counter()

    def until_then() -> Iterator[Clip]:
        for number, clip in enumerate(cycle(clips)):
            if number and time.perf_counter() - began > budget:
                return
            yield clip

    # To the end of what was begun, or the batches that are under way would be time without sound.
    events = extract(until_then(), model, request, workers)
    heard = sum(event.seconds for event in events if isinstance(event, Done))
    return heard / (time.perf_counter() - began)


def model_device(model: ByolaModel) -> torch.device:
    """Where the weights are."""
    return next(model.parameters()).device


def where(model: ByolaModel) -> str:
    """Where a model computes, in words."""
    device = model_device(model)
    if device.type == "cpu":
        return f"{torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
    return str(device)


def took(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> took(42), took(600), took(9000)
        ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
