"""``byola-hear map``: write one HTML page with a map of a collection, to look at and to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from byola_hear.analysis.layouts import check_method
from byola_hear.analysis.listening.sounds import preview
from byola_hear.analysis.map import LAYOUTS, clip_labels, folder_labels, write_map
from byola_hear.analysis.map.page import MAX_POINTS
from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.inputs import embedded, is_table, labels_of_table
from byola_hear.cli.outputs import check_output_file
from byola_hear.cli.terminal import complain, stderr_is_terminal
from byola_hear.cli.types import Finite
from byola_hear.extraction.clips import find_clips
from byola_hear.tables import TableError
from byola_hear.utils.text import one_line, quantity

if TYPE_CHECKING:
    import pandas


@click.command("map")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...|TABLE")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Page to write. Its name ends in .html."
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Label file to colour by: Raven, Audacity, CSV or Parquet, or a folder of them. Default: the folders.",
)
@click.option(
    "--label-column", metavar="NAME", help="Column of --labels to colour by. Default: label, annotation or species."
)
@click.option(
    "--layout", type=click.Choice(LAYOUTS), default="pca", show_default=True, help="Method that places the points."
)
@options.layout_seed
@click.option("--embed-audio", is_flag=True, help="Put a short preview of every clip into the page.")
@click.option(
    "--preview-seconds",
    type=Finite(0.05, 60),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of a preview, in seconds.",
)
@click.option("--title", help="Title of the page. Default: the name of the folder.")
@options.model
@click.option(
    "--window", type=float, metavar="SECONDS", help="Show one point per window of this length, not one per file."
)
@options.device
@options.two_decoding_threads
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
def command(
    paths: tuple[str, ...],
    output: Path,
    labels: Path | None,
    label_column: str | None,
    layout: str,
    seed: int,
    embed_audio: bool,
    preview_seconds: float,
    title: str | None,
    name: str,
    window: float | None,
    device: str,
    workers: int,
    overwrite: bool,
) -> int:
    """Write one HTML page with a map of the clips in PATH, or of a TABLE that `byola-hear embed` wrote.

    Each clip is a point. Similar sounds lie near each other. The colour is the clip's folder, or its label in a label
    file. The page shows names, plays a clip when you click it, lists its nearest neighbours (as a
    search does, see `byola-hear search`) and searches names. It takes labels by keys and saves them as a label file. It
    works offline. It links to the sound files by paths relative to the page. With --embed-audio it contains
    previews, shows spectrograms, and can be shared as one file.

    Exit codes: 0: every clip is on the map; 1: a clip is missing or has no preview, or the page could not be written;
    2: wrong usage, nothing was done.
    """
    check_output_file(output, (".html", ".htm"), "page", overwrite)
    if labels is None and label_column is not None:
        raise click.UsageError("--label-column needs --labels")
    if labels is not None and not labels.exists():
        raise click.UsageError(f"no such label file: {labels}")
    try:
        check_method(layout)
        check_number(paths)
        read = None if labels is None else labels_in(labels, label_column)
        table, failures = embedded(paths, name, window, device, workers)
        files = [str(file) for file in table.index.get_level_values("file")]
        named = folder_labels(files) if labels is None else labels_of(read, labels, label_column, table)
    except (ValueError, OSError, TableError) as error:
        raise click.UsageError(one_line(error)) from error
    for file, reason in failures.items():
        complain(file, reason)
    if not files:
        raise Failure(f"no file could be embedded; {output} was not written")
    silent: dict[str, str] = {}
    bar = tqdm(total=len(files), unit="preview", leave=False, disable=not (embed_audio and stderr_is_terminal()))

    def previewed(file: str, start: float, end: float) -> str:
        bar.update()
        try:
            return preview(file, start, end, preview_seconds)
        except (ValueError, OSError) as error:
            silent[file] = one_line(error)
            return ""

    try:
        size = write_map(
            output, table, named, layout=layout, seed=seed, title=title, preview=previewed if embed_audio else None
        )
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    except OSError as error:
        raise Failure(one_line(error)) from error
    finally:
        bar.close()
    for file, reason in silent.items():
        complain(file, f"no preview: {reason}")
    sounds = f"with previews of {preview_seconds:g} s" if embed_audio else "links to the sound files"
    clips, labelled = quantity(len(files), "clip"), quantity(len(set(named)), "label")
    click.echo(f"{output}: {clips}, {labelled}, {size / 1e6:.2f} MB, {sounds}")
    return 1 if failures or silent else 0


def check_number(paths: tuple[str, ...]) -> None:
    """Refuse more clips than a map shows, before hours are spent to embed them."""
    if any(map(is_table, paths)):
        return
    count = len(find_clips(paths, on_missing=lambda path, reason: None))
    if count > MAX_POINTS:
        raise ValueError(f"a map shows up to {MAX_POINTS} clips, got {count}; `byola-hear atlas` takes more")


def labels_in(path: Path, column: str | None) -> pandas.DataFrame | None:
    """The labels in a file; None if it names no recording, and the one that it is named after is not next to it."""
    from byola_hear import labels

    try:
        return labels.read(path, label_column=column, missing="keep")
    except FileNotFoundError:
        return None


def labels_of(read: pandas.DataFrame | None, path: Path, column: str | None, table: pandas.DataFrame) -> list[str]:
    """The labels of a table's rows, from what was read of a label file."""
    # By name, because timestamps have a time, too.
    columns = (table.index.get_level_values(name) for name in ("file", "start", "end"))
    clips = [(str(file), float(start), float(end)) for file, start, end in zip(*columns, strict=True)]
    if read is None:
        read = labels_of_table(path, (file for file, _, _ in clips), column)
    return clip_labels(read, path, clips)
