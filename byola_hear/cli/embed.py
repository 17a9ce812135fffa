"""``byola-hear embed``: files, folders and stretches of files into a table, at any size."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing

import click
import torch

from byola_hear.cli.errors import Failure, Finite, one_line
from byola_hear.cli.terminal import Preview, Progress, clock, quantity
from byola_hear.extraction.clips import Clip, find_clips, parse_shard, shard
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Event, Failed
from byola_hear.models.loading import resolve
from byola_hear.models.model import PRECISIONS, ByolaModel
from byola_hear.utils.device import usable_device


@click.command("embed")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-o",
    "--output",
    metavar="FILE|FOLDER/",
    help="Table to write: .parquet, .csv, .npz, .h5 or .zarr; or a folder, for one .npy a file.",
)
@click.option("--model", "name", default="", metavar="NAME|PATH", help="See `byola-hear models`. Default: both.")
@click.option(
    "--kind",
    type=click.Choice(["scene", "timestamp"]),
    default="scene",
    show_default=True,
    help="An embedding a clip (or a window of it), or embeddings along time.",
)
@click.option(
    "--window",
    type=float,
    metavar="SECONDS",
    help="Sound to an embedding. Default: the whole clip (scene), 0.36 (timestamp).",
)
@click.option(
    "--hop",
    type=float,
    metavar="SECONDS",
    help="From one embedding to the next. Default: the window (scene), 0.04 (timestamp).",
)
@click.option("--list", "lists", multiple=True, metavar="FILE", help="Text file of paths; - reads standard input.")
@click.option("--segments", metavar="CSV", help="Table of stretches with columns file, start, end (s).")
@click.option("--shard", "share", metavar="I/N", help="Only the I-th of N shares, from 0: for Slurm arrays.")
@click.option("--device", help="Where to compute: cpu, cuda, cuda:1, mps. Default: cpu.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="bfloat16: about twice as fast where the processor has it, within 2 % of float32.",
)
@click.option(
    "--batch",
    "batch_seconds",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Audio that goes to the network at once. Default: 60, or 600 where it is on another device than a CPU.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Threads that decode, by default half of --threads; with --ray, processes, by default one a GPU or CPU.",
)
@click.option(
    "--threads", type=click.IntRange(1, 1024), help="CPU threads of the network; torch's own choice by default."
)
@click.option("--ray", "address", metavar="ADDRESS|auto|local", help="Compute on a Ray cluster.")
@click.option(
    "--save-every",
    type=Finite(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How much work a crash may cost.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists, or that was begun.")
@click.option("--update", is_flag=True, help="Add to an output that exists what is not in it yet.")
@click.option("--strict", is_flag=True, help="Stop at the first file that can't be embedded.")
@click.option("-q", "--quiet", is_flag=True, help="No bar and no summary.")
def command(
    paths: tuple[str, ...],
    output: str | None,
    name: str,
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
    """Embed files, folders, patterns, lists of paths and stretches of files, of any length, in constant memory.

    With -o, what is done is kept as it goes: killed at any moment, the same command goes on where it was. A file that
    can't be embedded goes into FILE's table of errors and the others go on. Without -o, show each clip's first
    numbers. A PATH of - reads paths from standard input.

    Exit codes: 0, all clips are embedded; 1, some could not be, the others are in the table, or the table could not
    be written; 2, wrong usage, nothing is done; 130, interrupted, the same command goes on.
    """
    if overwrite and update:
        raise click.UsageError("give either --overwrite or --update, not both")
    if output is None and (overwrite or update):
        raise click.UsageError(f"--{'overwrite' if overwrite else 'update'} needs an output, -o FILE")
    if address is not None:
        for option, value in (("--device", device), ("--threads", threads), ("--batch", batch_seconds)):
            if value is not None:
                raise click.UsageError(f"{option} is for this machine; workers of --ray take what their nodes have")
    if output is not None:
        from byola_hear.tables import TableRefused, check_output

        try:  # before anything is loaded or searched
            check_output(output, overwrite=overwrite, update=update)
        except TableRefused as error:
            raise click.UsageError(one_line(error)) from error
    if threads is not None:
        torch.set_num_threads(threads)
    model = loaded_model(name, device or "cpu").in_precision(precision)
    try:
        request = request_for(model, kind, window, hop)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    clips, absent = found_clips(paths, lists, segments, share)

    def events(wanted: list[Clip]) -> Iterator[Event]:
        yield from absent
        if address is None:
            yield from extract(wanted, model, request, workers, batch_seconds)
            return
        from byola_hear.ray import ClusterError, extract_on_ray

        try:
            yield from extract_on_ray(wanted, model, request, address=address, workers=workers)
        except (ValueError, ModuleNotFoundError) as error:
            raise click.UsageError(one_line(error)) from error
        except ClusterError as error:
            raise Failure(one_line(error)) from error

    if not clips and not absent:
        click.echo("nothing to embed" if share is None else f"nothing to embed in share {share}", err=True)
        return 0
    visible = False if quiet else None
    if output is None:
        with closing(Progress(len(clips) + len(absent), visible=visible)) as progress:
            return shown(events(clips), progress, request, strict)
    # Imported here, since it takes pandas' and Arrow's time to load.
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
        raise Failure(f"no file could be embedded, {output} is not written")
    if not quiet:
        embedded, rows = quantity(finished.n_clips, "clip"), quantity(finished.n_rows, "row")
        told = f"{embedded}, {clock(finished.seconds)}, {rows} of {request.size} numbers"
        click.echo(f"{output}: {told}, model {request.model}; {progress.summary()}")
    if finished.errors is not None:
        click.echo(f"{finished.n_failed} could not be embedded, see {finished.errors}", err=True)
    return 1 if finished.n_failed else 0


def shown(events: Iterator[Event], progress: Progress, request: Request, strict: bool) -> int:
    """Show a table for the eye; the exit code."""
    preview = Preview(request)
    n_failed = 0
    for event in counted(events, progress, strict):
        preview.add(event)
        n_failed += isinstance(event, Failed)
    progress.close()
    preview.finish()
    return 1 if n_failed else 0


def loaded_model(name: str, device: str) -> ByolaModel:
    """The model on its device; whatever is wrong with either is wrong usage."""
    try:
        target = usable_device(device)
        return resolve(name).to(target)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error


def found_clips(
    paths: tuple[str, ...], lists: tuple[str, ...], segments: str | None, share: str | None
) -> tuple[list[Clip], list[Failed]]:
    """The clips that were asked for, or a share of them, and what is missing."""
    if not (paths or lists or segments):
        raise click.UsageError("expected something to embed: paths, --list or --segments; got nothing")
    absent: list[Failed] = []
    if sys.stdin is None and "-" in (*paths, *lists):
        raise click.UsageError("expected paths on standard input, got none: it is closed")
    named = [path for path in paths if path != "-"]
    streams = [sys.stdin.buffer if each == "-" else each for each in (*lists, *(path for path in paths if path == "-"))]
    try:
        clips = find_clips(
            named,
            segments=segments,
            lists=streams,
            on_missing=lambda path, reason: absent.append(Failed(Clip(path), reason)),
        )
        if share is not None:
            index, count = parse_shard(share)
            clips, absent = shard(clips, index, count), absent if index == 0 else []
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    return clips, absent


def counted(events: Iterator[Event], progress: Progress, strict: bool) -> Iterator[Event]:
    """Events on their way, counted, those of failures told."""
    for event in events:
        yield event
        progress.add(event)
        if isinstance(event, Failed):
            progress.complain(f"{event.clip.file}: {event.reason}")
            if strict:
                raise Failure("stopped at the first file that can't be embedded, as --strict asks")
