"""``byola-hear embed``: files, folders and segments of files into a table of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import click
import torch

from byola_hear.cli import options
from byola_hear.cli.cluster import check_cluster, extracted
from byola_hear.cli.errors import Failure
from byola_hear.cli.inputs import found_clips, loaded_model
from byola_hear.cli.outputs import check_no_input
from byola_hear.cli.terminal import Preview, Progress, clock
from byola_hear.cli.types import Finite
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Event, Failed
from byola_hear.models.precision import PRECISIONS
from byola_hear.utils.text import one_line, quantity


@click.command("embed")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-o",
    "--output",
    metavar="FILE|FOLDER/",
    help="Write a table: .parquet, .csv, .npz, .h5 or .zarr; or a folder with one .npy per file.",
)
@options.model
@options.dimensions
@click.option(
    "--kind",
    type=click.Choice(["scene", "timestamp"]),
    default="scene",
    show_default=True,
    help="scene: one embedding per clip, or per window of it. timestamp: embeddings along time.",
)
@click.option(
    "--window",
    type=float,
    metavar="SECONDS",
    help="Length of sound pooled into an embedding. Default: the whole clip (scene), 0.36 (timestamp).",
)
@click.option(
    "--hop",
    type=float,
    metavar="SECONDS",
    help="Time from one embedding to the next. Default: the window (scene), 0.04 (timestamp).",
)
@click.option(
    "--list", "lists", multiple=True, metavar="FILE", help="Embed the paths in a text file; - reads standard input."
)
@click.option(
    "--segments",
    metavar="FILE",
    help="Embed the segments in a label file: a Raven selection table, an Audacity label track, or a table with the "
    "columns file, start, end (s).",
)
@click.option("--shard", "share", metavar="I/N", help="Embed only share I of N, counted from 0, as in a Slurm array.")
@click.option("--device", help="Compute on this device: cpu, cuda, cuda:1, mps. Default: cpu.")
@click.option(
    "--precision",
    type=click.Choice([*PRECISIONS, "auto"]),
    default="float32",
    show_default=True,
    help="Compute with this precision. int8 is the fastest on most CPUs and moves embeddings by 0.2 to 0.6 %, "
    "bfloat16 by up to 3 %; short vectors move more. auto: the fastest on this machine that moves them by at most 5 %.",
)
@click.option(
    "--batch",
    "batch_seconds",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Seconds of audio in a batch of short clips. Default: 60 on a CPU, 600 on other devices.",
)
@options.decoding_threads_or_processes
@options.threads
@options.ray
@click.option(
    "--save-every",
    type=Finite(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Save the rows this often; a crash costs the work since then.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace an existing output; discard unfinished work with other settings."
)
@click.option("--update", is_flag=True, help="Add the clips that an existing output lacks.")
@click.option("--strict", is_flag=True, help="Stop at the first file that can't be embedded.")
@click.option("-q", "--quiet", is_flag=True, help="Show neither the progress bar nor the summary.")
def command(
    paths: tuple[str, ...],
    output: str | None,
    name: str,
    dimensions: int | None,
    kind: str,
    window: float | None,
    hop: float | None,
    lists: tuple[str, ...],
    segments: str | None,
    share: str | None,
    device: str | None,
    precision: str,
    batch_seconds: float | None,
    workers: int | None,
    threads: int | None,
    address: str | None,
    save_every: float,
    overwrite: bool,
    update: bool,
    strict: bool,
    quiet: bool,
) -> int:
    """Embed files, folders, patterns, lists of paths and segments of files, of any length, in constant memory.

    With -o, rows are saved as they are computed. After a crash or an interruption, the same command continues. Files
    that can't be embedded are listed with their reasons in a table of errors next to the output. Without -o, the first
    numbers of each clip's embedding are shown. If PATH is -, paths are read from standard input.

    Exit codes: 0: every file was embedded (an empty input counts as success and writes no table); 1: some files failed
    and the others are in the table, or the table could not be written; 2: wrong usage, nothing was done; 130:
    interrupted, the same command continues.
    """
    if overwrite and update:
        raise click.UsageError("give either --overwrite or --update, not both")
    if output is None and (overwrite or update):
        raise click.UsageError(f"--{'overwrite' if overwrite else 'update'} needs an output, -o FILE")
    check_cluster(address, {"--device": device, "--threads": threads, "--batch": batch_seconds})
    if output is not None:
        check_no_input(output, *lists, segments or "")
        from byola_hear.tables import TableRefused, check_output

        try:  # before a model is loaded or folders are searched
            check_output(output, overwrite=overwrite, update=update)
        except TableRefused as error:
            raise click.UsageError(one_line(error)) from error
    if threads is not None:
        torch.set_num_threads(threads)
    model = loaded_model(name, device or "cpu", dimensions)
    try:
        model = model.in_precision(precision)
        request = request_for(model, kind, window, hop)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    clips, absent = found_clips(paths, lists, segments, share)

    def events(wanted: list[Clip]) -> Iterator[Event]:
        yield from absent
        yield from extracted(wanted, model, request, workers, batch_seconds, address)

    if not clips and not absent:
        click.echo("nothing to embed" if share is None else f"nothing to embed in share {share}", err=True)
        return 0
    visible = False if quiet else None
    if output is None:
        with closing(Progress(len(clips) + len(absent), visible=visible)) as progress:
            return shown(events(clips), progress, request, strict)
    # Imported here, because pandas and Arrow take long to load.
    from byola_hear.tables import TableError, TableRefused, open_store

    asked = [*clips, *(each.clip for each in absent)]
    try:
        with open_store(output, request, asked, overwrite=overwrite, update=update, group_seconds=save_every) as store:
            remaining = [clip for clip in clips if clip not in store.done]
            with closing(Progress(len(asked), len(clips) - len(remaining), visible)) as progress:
                for event in counted(events(remaining), progress, strict):
                    store.add(event)
            finished = store.finish()
    except TableRefused as error:
        raise click.UsageError(one_line(error)) from error
    except TableError as error:
        raise Failure(one_line(error)) from error
    if finished.output is None:
        raise Failure(f"no file could be embedded; {output} was not written")
    if not quiet:
        embedded, rows = quantity(finished.n_clips, "clip"), quantity(finished.n_rows, "row")
        arithmetic = "" if model.precision == "float32" else f" in {model.precision}"
        content = f"{embedded}, {clock(finished.seconds)}, {rows} of {request.size} dimensions"
        click.echo(f"{output}: {content}, model {request.model}{arithmetic}; {progress.summary()}")
    if finished.n_failed:
        click.echo(f"{quantity(finished.n_failed, 'clip')} could not be embedded, see {finished.errors}", err=True)
    return 1 if finished.n_failed else 0


def shown(events: Iterator[Event], progress: Progress, request: Request, strict: bool) -> int:
    """Print the first numbers of each clip's embedding.

    Returns:
        The exit code.
    """
    preview = Preview(request)
    n_failed = 0
    for event in counted(events, progress, strict):
        preview.add(event)
        n_failed += isinstance(event, Failed)
    progress.close()
    preview.finish()
    return 1 if n_failed else 0


def counted(events: Iterator[Event], progress: Progress, strict: bool) -> Iterator[Event]:
    """Pass events on, count them and report the failures."""
    for event in events:
        yield event
        progress.add(event)
        if isinstance(event, Failed):
            progress.complain(f"{event.clip.file}: {event.reason}")
            if strict:
                raise Failure("stopped at the first file that can't be embedded (--strict)")
