"""``byola-hear search``: the segments of a collection that are most like a sound."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from byola_hear import labels
from byola_hear.analysis.search import COSINES
from byola_hear.audio.cutting import cut
from byola_hear.cli.errors import Failure
from byola_hear.cli.outputs import check_no_input
from byola_hear.cli.terminal import aligned
from byola_hear.cli.types import Time
from byola_hear.labels.writing import chosen_format
from byola_hear.query import search
from byola_hear.tables import TableError
from byola_hear.utils.text import one_line, shortened

if TYPE_CHECKING:
    import pandas

FORMATS = ("table", "csv", "raven", "audacity", "json")


@click.command("search")
@click.argument("table", metavar="TABLE")
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option("-n", "count", type=click.IntRange(1), default=20, show_default=True, help="Number of hits.")
@click.option("--from", "start", type=Time(), metavar="TIME", help="Start of the sound in QUERY: seconds or H:MM:SS.")
@click.option("--to", "end", type=Time(), metavar="TIME", help="End of the sound in QUERY: seconds or H:MM:SS.")
@click.option("--exclude", multiple=True, metavar="PATH", help="Sound to stay away from, such as a wrong hit.")
@click.option(
    "--cosine",
    type=click.Choice(COSINES),
    default=COSINES[0],
    show_default=True,
    help="standardised: compare what tells clips of the collection apart. plain: compare the embeddings themselves.",
)
@click.option("--no-merge", is_flag=True, help="List windows of one file that touch each other separately.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Format of the hits. Default: table; with -o, the one that the file's ending says.",
)
@click.option(
    "-o", "--output", metavar="FILE|FOLDER/", help="Write the hits as labels to a file, or one per recording."
)
@click.option("--clips", type=click.Path(path_type=Path), metavar="FOLDER", help="Write each hit as a WAV file.")
@click.option(
    "--index",
    metavar="FILE",
    help="Index file for quick searches. It is made if it does not exist, and made again if TABLE has changed.",
)
@click.option(
    "--model",
    metavar="NAME|PATH",
    help="Model that made TABLE, if TABLE does not say so or the package does not have the model.",
)
@click.option(
    "--dimensions",
    type=click.IntRange(1),
    metavar="N",
    help="Dimensions of TABLE's rows, if TABLE does not say so.",
)
@click.option("--device", help="Embed the query on this device: cpu, cuda, cuda:1, mps. Default: cpu.")
@click.option("--overwrite", is_flag=True, help="Replace existing files of --output and --clips.")
def command(
    table: str,
    queries: tuple[str, ...],
    count: int,
    start: float | None,
    end: float | None,
    exclude: tuple[str, ...],
    cosine: str,
    no_merge: bool,
    kind: str | None,
    output: str | None,
    clips: Path | None,
    index: str | None,
    model: str | None,
    dimensions: int | None,
    device: str | None,
    overwrite: bool,
) -> int:
    """Find the rows of TABLE, which `byola-hear embed` wrote, that are most like QUERY.

    A QUERY is an audio file, a folder of them, or a pattern. Several queries are averaged. The score is the cosine with
    the query, from -1 to 1; a quarter of the cosine with sounds to --exclude is subtracted. The table may be larger
    than the memory. Windows of one file that touch each other make one hit.

    Exit codes: 0: the hits are listed; 1: a file could not be written; 2: wrong usage, nothing was done.
    """
    if output is not None and kind in ("table", "json"):
        raise click.UsageError(f"--format {kind} is for the terminal; --output takes csv, raven and audacity")
    if output is not None:
        check_no_input(output, table, *(() if os.path.isdir(output) else (*queries, *exclude)))
        check_writable(output, kind)
    for option, path in (("--output", output), ("--clips", clips)):
        if path is not None:
            check_free(option, Path(path), overwrite, folder=option == "--clips")
    try:
        hits = search(
            table,
            queries,
            count,
            start=start,
            end=end,
            exclude=exclude,
            cosine=cosine,  # type: ignore[arg-type]
            merge=not no_merge,
            index=index,
            model=model,
            device=device,
            dimensions=dimensions,
        )
    except (ValueError, TypeError, OSError, TableError) as error:
        raise click.UsageError(one_line(error)) from error
    import pandas as pd

    # As an object, which may be no UTF-8.
    named = hits.assign(label=pd.Series([Path(queries[0]).stem] * len(hits), dtype=object))
    try:
        if output is not None:
            labels.write(named, output, kind)
        else:
            click.echo(text_of(named, kind or "table"), nl=False)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    except BrokenPipeError:
        raise  # the reader of the output has ended, as `| head` does
    except OSError as error:
        raise Failure(one_line(error)) from error
    return 0 if clips is None else write_clips(hits, clips)


def check_writable(output: str, kind: str | None) -> None:
    """Refuse an output whose format is not clear, or whose folder does not exist."""
    try:
        path, in_folder, _ = chosen_format(output, kind)
    except ValueError:
        raise click.UsageError(f"{output} does not say its format; give --format csv, raven or audacity") from None
    if not in_folder and not path.absolute().parent.is_dir():
        raise click.UsageError(f"the folder of {path} does not exist")


def check_free(option: str, path: Path, overwrite: bool, folder: bool) -> None:
    """Refuse a file or a folder with something in it, unless it may be overwritten."""
    if folder and path.exists() and not path.is_dir():
        raise click.UsageError(f"expected a folder as {option}, got the file {path}")
    if not overwrite and (any(path.iterdir()) if path.is_dir() else path.exists()):
        state = "is not empty; give --overwrite to write into it" if path.is_dir() else "exists; give --overwrite"
        raise click.UsageError(f"{path} {state}")


def text_of(hits: pandas.DataFrame, kind: str) -> str:
    """Format hits for the terminal."""
    rows = list(zip(hits["file"], hits["start"], hits["end"], hits["score"], strict=True))
    if kind == "table":
        cells = [[one_line(file), *(f"{value:.3f}" for value in others)] for file, *others in rows]
        return aligned(["file", "start s", "end s", "score"], cells) + "\n"
    if kind == "json":
        names = ("file", "start", "end", "score")
        return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    return labels.text_of(hits, kind)


def write_clips(hits: pandas.DataFrame, folder: Path) -> int:
    """Write hits as WAV files, which are named by rank, recording and place; the exit code."""
    n_failed = 0
    digits = len(str(len(hits)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder} can't be made: {error.strerror or error}") from error
    for rank, (file, start, end) in enumerate(zip(hits["file"], hits["start"], hits["end"], strict=True), 1):
        name = f"{rank:0{digits}}_{shortened(Path(file).stem, 200)}_{start:.3f}-{end:.3f}.wav"
        try:
            cut(file, start, end, folder / name)
        except (ValueError, OSError) as error:
            click.echo(f"error: {one_line(error)}", err=True)
            n_failed += 1
    return 1 if n_failed else 0
