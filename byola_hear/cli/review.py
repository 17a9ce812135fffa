"""``byola-hear review``: write a page on which a person says which detections are right."""

from __future__ import annotations

import math
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from byola_hear import labels
from byola_hear.analysis.listening.sounds import Sound, with_context
from byola_hear.analysis.review import CHOICES, choose, merged, shortened, write_review
from byola_hear.analysis.review.page import check_size
from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.outputs import check_output_file
from byola_hear.cli.terminal import complain, stderr_is_terminal
from byola_hear.cli.types import Finite
from byola_hear.labels.recordings import seconds_of_recording
from byola_hear.utils.text import one_line, quantity

if TYPE_CHECKING:
    import pandas


@click.command("review")
@click.argument("paths", nargs=-1, required=True, metavar="DETECTIONS...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Page to write. Its name ends in .html."
)
@click.option(
    "--recordings", metavar="FOLDER", help="Folder with the recordings, if DETECTIONS names them by other paths."
)
@click.option(
    "--choose",
    "how",
    type=click.Choice(CHOICES),
    default=CHOICES[0],
    show_default=True,
    help="balanced: take all parts of the range of scores. margin: take scores near the threshold. top: take the best.",
)
@click.option(
    "--per-class",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Largest number of windows of a class.",
)
@click.option(
    "--threshold",
    default="0.5",
    show_default=True,
    metavar="X|CLASSIFIER",
    help="Threshold for --choose margin: a number, or the file of the classifier, for those of the best F1.",
)
@options.label_column
@click.option(
    "--context",
    type=Finite(0, 60),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Play this much before and after each window.",
)
@click.option(
    "--longest",
    type=Finite(0.1, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Shorten longer detections to this, around their middle; those of `byola-hear predict --no-merge` around "
    "their best score.",
)
@click.option("--title", help="Title of the page. Default: the name of the output.")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of --choose balanced."
)
@options.two_decoding_threads
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
def command(
    paths: tuple[str, ...],
    output: Path,
    recordings: str | None,
    how: str,
    per_class: int,
    threshold: str,
    label_column: str | None,
    context: float,
    longest: float,
    title: str | None,
    seed: int,
    workers: int,
    overwrite: bool,
) -> int:
    """Write one HTML page on which you listen to detections and say which of them are right.

    DETECTIONS are what `byola-hear predict` wrote, or any label files: Raven, Audacity, CSV, Parquet, or folders of
    them. Detections of a class that overlap are one. The page plays each window, shows its spectrogram, and takes
    answers by keys. It keeps them in the browser and saves them as a label file for `byola-hear learn`. It works
    offline and contains the sounds.

    Exit codes: 0: the page was written; 1: some recordings could not be read, or the page could not be written; 2:
    wrong usage, nothing was done.
    """
    check_output_file(output, (".html", ".htm"), "page", overwrite)
    if how != "margin" and click.get_current_context().get_parameter_source("threshold") is not (
        click.core.ParameterSource.DEFAULT
    ):
        raise click.UsageError(f"--threshold is for --choose margin, got --choose {how}")
    unreadable: dict[str, str] = {}
    try:
        limits = thresholds(threshold) if how == "margin" else 0.5
        found = labels.read(paths, recordings=recordings, label_column=label_column)
        if not len(found):
            raise ValueError(f"expected detections, got none: {', '.join(paths)}")
        table = with_ends(found, unreadable)
        joined = merged(table) if len(table) else table
        chosen = shortened(choose(joined, how, per_class, limits, seed), longest) if len(table) else table
        if len(table):
            check_size(chosen, context)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    n_windows = n_bytes = 0
    try:
        if len(table):
            with closing(sounds_of(chosen, context, workers, unreadable)) as sounds:
                classes = sorted(set(joined["label"]))
                n_windows, n_bytes = write_review(
                    output, chosen, lambda *_: next(sounds), classes, title=title or output.stem
                )
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    except OSError as error:
        raise Failure(one_line(error)) from error
    for file, reason in unreadable.items():
        complain(file, reason)
    if not n_windows:
        raise Failure(f"no recording could be read; {output} was not written")
    parts = [
        f"{quantity(n_windows, 'window')} of {quantity(len(joined), 'detection')}",
        "1 class" if len(classes) == 1 else f"{len(classes)} classes",
        quantity(len(set(chosen["file"])), "recording"),
        f"{n_bytes / 1e6:.2f} MB",
    ]
    n_long = int((joined["end"] - joined["start"] > longest + 1e-9).sum())
    if n_long:
        parts.append(f"{quantity(n_long, 'detection')} longer than {longest:g} s (--longest)")
    click.echo(f"{output}: {', '.join(parts)}")
    return 1 if unreadable else 0


def thresholds(wanted: str) -> float | dict[str, float]:
    """The thresholds that an option names: one of all classes, or a classifier's by class."""
    try:
        value = float(wanted)
    except ValueError:
        from byola_hear.classification.file import load_classifier

        if not os.path.isfile(wanted):
            raise ValueError(f"expected a number or the file of a classifier as --threshold, got {wanted}") from None
        classifier = load_classifier(wanted)
        return dict(zip(classifier.classes, map(float, classifier.thresholds("best-f1")), strict=True))
    if not abs(value) < float("inf"):
        raise ValueError(f"expected a finite number as --threshold, got {wanted}")
    return value


def with_ends(table: pandas.DataFrame, unreadable: dict[str, str]) -> pandas.DataFrame:
    """Labels whose missing ends are the recordings' ends; those of recordings that can't be read are reported."""
    table = table.copy()
    missing = table["end"].isna()
    files = table.loc[missing, "file"].tolist()
    seconds = {file: seconds_of_recording(file) for file in dict.fromkeys(files)}
    for file in (file for file, length in seconds.items() if length is None):
        unreadable[file] = "the recording can't be read, so its duration is not known"
    table.loc[missing, "end"] = [math.nan if (length := seconds[file]) is None else length for file in files]
    return table[table["end"].notna()]


def sounds_of(
    table: pandas.DataFrame, context: float, workers: int, unreadable: dict[str, str]
) -> Generator[Sound | None, None, None]:
    """Sounds of windows in their order, decoded by several threads; None where a recording can't be read."""

    def sound(window: tuple[str, float, float]) -> Sound | None:
        try:
            return with_context(*window, context)
        except (ValueError, OSError) as error:
            unreadable.setdefault(window[0], one_line(error))
            return None

    windows = zip(table["file"], table["start"], table["end"], strict=True)
    bar = tqdm(total=len(table), unit="window", leave=False, disable=not stderr_is_terminal())
    with closing(bar), ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(windows, 16 * workers)):
            for each in pool.map(sound, batch):
                bar.update()
                yield each
