"""``byola-hear bench``: measure how fast this machine embeds audio, and which settings suit it."""

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
from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.inputs import found_clips, loaded_model
from byola_hear.cli.terminal import aligned
from byola_hear.cli.types import Finite
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import CPU_BATCH_SECONDS, DEVICE_BATCH_SECONDS, FILE_ERRORS, extract, failed
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Done
from byola_hear.models.model import ByolaModel
from byola_hear.utils.text import one_line

#: Of a larger collection, at most so many files are measured, evenly spread, and so many seconds of each.
MOST_FILES, MOST_SECONDS = 200, 60.0
#: Files that are generated when no paths are given: their number, seconds, Hz, channels.
GENERATED = (20, 10.0, 44100, 2)
#: Seconds of audio per pass when the network alone is measured.
NETWORK_SECONDS = 60.0
#: More workers are not worth their cost beyond this share of the best speed.
GOOD_ENOUGH = 0.95


@click.command("bench")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@options.model
@options.device
@options.threads
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=Finite(0.5, 600),
    help="Time for all measurements together, in seconds.",
)
def command(paths: tuple[str, ...], name: str, device: str, threads: int | None, seconds: float) -> int:
    """Measure decoding, the network, and both together, and suggest a number of workers for `byola-hear embed`.

    The measurement uses the given files, folders or patterns: at most 200 files, and the first minute of each. Without
    paths it uses generated FLAC files of noise. Nothing is written.

    Exit codes: 0: everything was measured; 1: one of several paths is missing, or no file can be read; 2: wrong usage,
    for instance when none of the paths exists.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    model = loaded_model(name, device)
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = [] if paths else generated(Path(folder))
        except (soundfile.SoundFileError, OSError) as error:
            raise Failure(f"files to measure can't be written to {folder} ({one_line(error)}); name some") from error
        found, absent = found_clips(paths, (), None, None) if paths else (made, [])
        missing = [one_line(f"{each.clip.file}: {each.reason}") for each in absent]
        if not found:
            raise click.UsageError(missing[0] if missing else "expected files to measure, got an empty list")
        for message in missing:
            click.echo(f"error: {message}", err=True)
        spread = found[:: max(1, -(-len(found) // MOST_FILES))]
        # The shares of the time add up to 1.
        clips, decoding = readable(spread, model.sample_rate, 0.15 * seconds)
        cores = os.cpu_count() or 1
        rows = [("decoding, 1 thread", decoding)]
        if cores > 1:
            several = decoded(clips, model.sample_rate, cores, 0.15 * seconds)
            rows.append((f"decoding, {cores} threads", several))
        rows.append((f"network alone, {device_in_words(model)}", network(clips, model, 0.2 * seconds)))
        candidates = sorted({1, 2, cores})
        whole = {
            workers: files_to_rows(clips, model, workers, 0.5 * seconds / len(candidates)) for workers in candidates
        }
    rows += [(f"files to rows, --workers {workers}", speed) for workers, speed in whole.items()]
    chosen = next(workers for workers in candidates if whole[workers] >= GOOD_ENOUGH * max(whole.values()))
    batch = CPU_BATCH_SECONDS if model_device(model).type == "cpu" else DEVICE_BATCH_SECONDS
    what = f"{len(clips)} of {len(found)} files" if paths else "generated FLAC files, 44.1 kHz stereo"
    click.echo(f"{what}; model {model.config.name} {model.config.version}; batches of {batch:g} s\n")
    lines = [[what_was_timed, f"{speed:.3g}" if speed < 100 else f"{speed:.0f}"] for what_was_timed, speed in rows]
    click.echo(aligned(["measured", "× real time"], lines))
    click.echo(
        f"\nSuggested: --workers {chosen}. A hundred hours of such audio take about {in_words(360000 / whole[chosen])}."
    )
    return 1 if missing else 0


def generated(folder: Path) -> list[Clip]:
    """Write FLAC files of noise that swells and fades.

    Args:
        folder: an existing folder for the files.

    Returns:
        One clip per file.
    """
    n_files, seconds, rate, channels = GENERATED
    rng = np.random.default_rng(0)
    shape = (round(seconds * rate), channels)
    swell = np.sin(np.linspace(0, 3 * seconds, shape[0]))[:, None] ** 2
    noise = 0.1 * rng.standard_normal(shape) * swell
    files = [folder / f"{number:02}.flac" for number in range(n_files)]
    for file in files:
        noise = np.roll(noise, rate // 3, axis=0)
        soundfile.write(file, noise, rate, subtype="PCM_16")
    return [Clip(str(file)) for file in files]


def readable(clips: list[Clip], sample_rate: int, budget: float) -> tuple[list[Clip], float]:
    """Find the files that can be read, and measure how fast one thread decodes them.

    Args:
        clips: whole files.
        sample_rate: sample rate to decode to, in Hz.
        budget: seconds to spend. At least one readable file is decoded, however long it takes.

    Returns:
        The first minute, at most, of each readable file that was reached in time; and seconds of audio decoded per
        second.

    Raises:
        Failure: if no file can be read.
    """
    good: list[Clip] = []
    n_seconds, reason, began = 0.0, "", time.perf_counter()
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
        n_seconds += length
    if not good:
        raise Failure(f"no file can be read: {reason}")
    return good, n_seconds / (time.perf_counter() - began)


def _first_blocks(clip: Clip, sample_rate: int) -> Iterator[np.ndarray]:
    """Yield the first minute of a file in blocks."""
    with closing(read_blocks(clip.file, sample_rate, MOST_SECONDS / 6)) as blocks:  # type: ignore[type-var]
        yield from islice(blocks, 6)


def decoded(clips: list[Clip], sample_rate: int, threads: int, budget: float) -> float:
    """Measure how many seconds of audio several threads decode per second. They cycle through the clips.

    Args:
        clips: readable clips.
        sample_rate: sample rate to decode to, in Hz.
        threads: number of threads.
        budget: seconds to spend.
    """
    began = time.perf_counter()

    def decode(number: int) -> float:
        n_seconds = 0.0
        for clip in islice(cycle(clips), number * len(clips) // threads, None):
            if n_seconds and time.perf_counter() - began > budget:
                break
            n_seconds += len(read_audio(clip.file, sample_rate, clip.start, clip.end)) / sample_rate
        return n_seconds

    with ThreadPoolExecutor(threads) as pool:
        n_seconds = sum(pool.map(decode, range(threads)))
    return n_seconds / (time.perf_counter() - began)


def network(clips: list[Clip], model: ByolaModel, budget: float) -> float:
    """Measure how many seconds of decoded audio the network embeds per second.

    Args:
        clips: readable clips.
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
    """Measure how many seconds of audio are read and embedded per second. The measurement cycles through the clips.

    Args:
        clips: readable clips.
        model: the network.
        workers: number of decoding threads.
        budget: seconds after which no further clip is started.
    """
    request = request_for(model)
    began = time.perf_counter()

    def until_then() -> Iterator[Clip]:
        for number, clip in enumerate(cycle(clips)):
            if number and time.perf_counter() - began > budget:
                return
            yield clip

    # Every started clip is finished. Otherwise the batches under way would count as time without audio.
    events = extract(until_then(), model, request, workers)
    n_seconds = sum(event.seconds for event in events if isinstance(event, Done))
    return n_seconds / (time.perf_counter() - began)


def model_device(model: ByolaModel) -> torch.device:
    """The device that holds the weights."""
    return next(model.parameters()).device


def device_in_words(model: ByolaModel) -> str:
    """The device that a model computes on, as words for the table."""
    device = model_device(model)
    if device.type == "cpu":
        return f"{torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
    return str(device)


def in_words(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> in_words(42), in_words(600), in_words(9000)
        ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
