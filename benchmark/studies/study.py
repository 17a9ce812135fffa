"""What the studies' commands share: options, models, and synthetic clips as a labelled set."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.models.rows import Asked, rows_of
from benchmark.reporting import options
from benchmark.studies.findings import Report, save_report
from byola_hear.utils.quiet import native_messages_hidden


def study_options(
    models: str = "both,speech,nonspeech,untrained,logmel,mfcc", baselines: bool = True, drawn: bool = True
) -> Callable[[options.Function], options.Function]:
    """Add the options of every study: ``models``, ``audio``, ``output``, ``cache`` and ``no_progress``.

    Random studies also have ``seed`` and ``untrained_seeds``.

    Args:
        models: default of ``--models``.
        baselines: whether models other than networks are allowed.
        drawn: whether the study is random.

    Returns:
        A decorator for the function of a click command.
    """
    named = "Networks by name or checkpoint"
    more = ", and baselines, as in `python -m benchmark probe`." if baselines else "."
    seed = click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    always = (options.models(named + more, models), options.audio, options.results, options.cache, options.no_progress)
    return options.joined(*always, seed, options.untrained_seeds) if drawn else options.joined(*always)


def few_label_options(draws: int) -> Callable[[options.Function], options.Function]:
    """Add the options of studies with few labels, ``draws`` and ``max_test``.

    Args:
        draws: default of ``--draws``.

    Returns:
        A decorator for the function of a click command.
    """
    number = click.option(
        "--draws", type=click.IntRange(2), default=draws, show_default=True, help="Number of draws of training clips."
    )
    most = click.option(
        "--max-test",
        type=click.IntRange(20),
        default=500,
        show_default=True,
        help="Largest number of tested clips of a draw.",
    )
    return options.joined(number, most)


def asked_models(models: str, training_clips: Callable[[], list[np.ndarray]], untrained_seeds: int) -> list[Asked]:
    """Load the models that ``--models`` names. A baseline that is not available is a row with the reason.

    Args:
        models: names separated by commas.
        training_clips: see :func:`benchmark.models.extractors.extractors_of`.
        untrained_seeds: number of untrained networks.

    Raises:
        ValueError: if no model is named, one is named twice or cannot be used.
        FileNotFoundError: if a file does not exist.
    """
    with native_messages_hidden():
        return rows_of(models, training_clips, untrained_seeds)


def set_of_clips(name: str, manifest: pd.DataFrame, clips: Sequence[np.ndarray], sample_rate: int) -> LabelledSet:
    """Make a labelled set of synthetic clips. It is embedded and cached like a set from a tar.

    Args:
        name: name of the set.
        manifest: one row for each clip.
        clips: ``(n_samples_i,)`` float32 in [-1, 1].
        sample_rate: Hz.

    Returns:
        The set; its hash is that of samples and manifest.

    Raises:
        ValueError: if a sample is beyond full scale, or the numbers of clips and rows differ.
    """
    if len(manifest) != len(clips) or not len(clips):
        raise ValueError(f"{name}: expected as many clips as rows, got {len(clips)} and {len(manifest)}")
    peak = max(float(np.abs(clip).max(initial=0.0)) for clip in clips)
    if not peak <= 1:
        raise ValueError(f"{name}: expected samples in [-1, 1], got one of {peak:g}")
    whole = [np.clip(np.round(clip * 32768), -32768, 32767).astype(np.int16) for clip in clips]
    samples = np.concatenate(whole)
    offsets = np.concatenate([[0], np.cumsum([len(clip) for clip in whole])])
    digest = hashlib.sha256(samples.tobytes())
    digest.update(offsets.astype(np.int64).tobytes())
    digest.update(manifest.to_csv(index=False).encode())
    return LabelledSet(name, digest.hexdigest(), manifest.reset_index(drop=True), samples, offsets, sample_rate)


def seconds_bar(description: str, seconds: float, shown: bool) -> tqdm:
    """A progress bar on stderr that counts seconds of audio."""
    return tqdm(
        desc=description,
        total=math.ceil(seconds),  # tqdm drops a total that is exceeded
        unit="s",
        disable=not shown,
        leave=False,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio [{elapsed}<{remaining}{postfix}]",
    )


def show_report(folder: Path, name: str, report: Report) -> None:
    """Write a study's report, print its Markdown, and name the files on stderr."""
    written = save_report(folder, name, report)
    click.echo(report.texts(folder, name)[f"{name}.md"])
    for path in (folder / f"{name}.csv", folder / f"{name}.json", *written):
        click.echo(f"written: {path}", err=True)
