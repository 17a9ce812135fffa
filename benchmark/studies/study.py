"""What the studies beyond classification share: options, models, embeddings of made clips, and what they write.

A study NAME leaves ``NAME.csv`` (every number), ``NAME.json`` (where they come from) and ``NAME.png`` (the figure) in
its folder of results; :mod:`benchmark.studies.findings` makes texts of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import AUDIO_VARIABLE, CACHE_VARIABLE, LabelledSet
from benchmark.models.rows import Asked, rows_of
from benchmark.reporting.provenance import provenance
from byola_hear.utils.files import replacing
from byola_hear.utils.quiet import native_messages_hidden

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Where results stand if nobody says otherwise.
RESULTS = Path(__file__).resolve().parents[1] / "results"

#: The networks' colours in every figure; other models take the following ones in the order in which they come.
COLOURS = {"speech": "#c44e52", "nonspeech": "#4c72b0", "both": "#8172b2", "untrained": "#8c8c8c"}
OTHER_COLOURS = ("#dd8452", "#55a868", "#937860", "#da8bc3", "#64b5cd", "#ccb974", "#2f4b7c", "#a05195", "#003f5c")

Function = TypeVar("Function", bound=Callable[..., Any])


def study_options(
    models: str = "both,speech,nonspeech,untrained,logmel,mfcc", baselines: bool = True, drawn: bool = True
) -> Callable[[Function], Function]:
    """The options that every study has: ``models``, ``audio``, ``output``, ``cache``, ``no_progress`` and, where
    something is drawn, ``seed`` and ``untrained_seeds``.

    Args:
        models: the default rows.
        baselines: whether models may be others than networks.
        drawn: whether the study draws anything.

    Returns:
        A decorator for the function of a click command.
    """
    named = "Networks by name or checkpoint"
    options = [
        click.option(
            "--models",
            default=models,
            show_default=True,
            metavar="NAME|PATH|NAME=WEIGHTS,…",
            help=f"{named}, and baselines, as in `python -m benchmark probe`." if baselines else f"{named}.",
        ),
        click.option(
            "--audio",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help=f"Labelled sets. Default: ${AUDIO_VARIABLE}, else ../shared/audio/tasks beside the checkout.",
        ),
        click.option(
            "-o",
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            default=RESULTS,
            metavar="FOLDER",
            help="Where to write table and figure; made if need be. Default: benchmark/results.",
        ),
        click.option(
            "--cache",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help=f"Decoded audio and embeddings, safe to delete. Default: ${CACHE_VARIABLE}, else one in ~/.cache.",
        ),
        click.option("--no-progress", is_flag=True, help="No bar on stderr."),
    ]
    if drawn:
        seeds = click.IntRange(1, 20)
        options += [
            click.option("--seed", default=0, show_default=True, help="Of everything that is drawn."),
            click.option("--untrained-seeds", type=seeds, default=3, show_default=True, help="Untrained networks."),
        ]

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def asked_models(models: str, training_clips: Callable[[], list[np.ndarray]], untrained_seeds: int) -> list[Asked]:
    """The rows that ``--models`` names; a baseline that can't be had is one that says so.

    Args:
        models: names with commas between them.
        training_clips: see :func:`benchmark.models.extractors.extractors_of`.
        untrained_seeds: how many untrained networks.

    Raises:
        ValueError: if none is named, one is named twice or can't be used.
        FileNotFoundError: if there is no such file.
    """
    with native_messages_hidden():
        return rows_of(models, training_clips, untrained_seeds)


def set_of_clips(name: str, manifest: pd.DataFrame, clips: Sequence[np.ndarray], sample_rate: int) -> LabelledSet:
    """Clips that were made, as a labelled set: it is embedded and cached like those that come from a tar.

    Args:
        name: of the set.
        manifest: one row a clip.
        clips: ``(n_samples_i,)`` float32 in [-1, 1].
        sample_rate: Hz.

    Returns:
        The set; its hash is that of samples and manifest.

    Raises:
        ValueError: if a sample is beyond full scale, or there is not one row a clip.
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
    """A bar on stderr that counts seconds of audio and says how long it will take."""
    return tqdm(
        desc=description,
        total=math.ceil(seconds),  # tqdm forgets a total once it is overtaken
        unit="s",
        disable=not shown,
        leave=False,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio [{elapsed}<{remaining}{postfix}]",
    )


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each model, the same in every figure for the networks.

    Example:
        >>> colours(["speech", "mfcc"])
        {'speech': '#c44e52', 'mfcc': '#dd8452'}
    """
    others = [name for name in names if name not in COLOURS]
    chosen = {name: OTHER_COLOURS[index % len(OTHER_COLOURS)] for index, name in enumerate(others)}
    return {name: COLOURS.get(name) or chosen[name] for name in names}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, sizes in inches; needs no display.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed, saying how to get it.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ModuleNotFoundError(
            "figures need matplotlib: pip install 'byola-hear[benchmark]'", name="matplotlib"
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with replacing(path) as stream:
        figure.savefig(stream, format="png", dpi=110)


def save_results(folder: Path, name: str, numbers: pd.DataFrame, figure: Figure, about: dict[str, Any]) -> list[Path]:
    """Write a study's numbers, figure and where they come from.

    Args:
        folder: where to; made if need be.
        name: of the study.
        numbers: everything that was measured.
        figure: the picture.
        about: how it was measured, JSON values, ``command`` among them.
            :func:`benchmark.reporting.provenance.provenance` is put before it.

    Returns:
        The files: ``.csv``, ``.json`` and ``.png``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        ".csv": numbers.to_csv(index=False, lineterminator="\n", float_format="%.6g"),
        ".json": json.dumps({**provenance(), **about}, indent=1) + "\n",
    }
    for ending, text in texts.items():
        with replacing(folder / f"{name}{ending}") as stream:
            stream.write(text.encode())
    save_figure(figure, folder / f"{name}.png")
    return [folder / f"{name}{ending}" for ending in (*texts, ".png")]


def measured_with(about: dict[str, Any]) -> str:
    """A line of Markdown on where numbers come from, out of a study's ``.json``.

    Example:
        >>> about = {"commit": "0123456789abcdef", "time": "2026-01-02T03:04", "hardware": "a machine"}
        >>> measured_with({"command": "python -m benchmark regression", **about})
        'Measured by `python -m benchmark regression` at commit 0123456789 on 2026-01-02, a machine.'
    """
    commit = (about["commit"] or "none")[:10]
    return f"Measured by `{about['command']}` at commit {commit} on {about['time'][:10]}, {about['hardware']}."
