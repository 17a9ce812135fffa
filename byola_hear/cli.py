"""The command line: ``byola-hear embed`` and ``byola-hear models``, also as ``python -m byola_hear``.

Exit codes: 0, all is well; 1, some files failed and the others are done, or nothing could be written; 2, the
command was wrong and nothing was done. Errors are one line each on stderr.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import click
import numpy as np
import torch
from numpy.typing import NDArray

import byola_hear
from byola_hear.audio import audio_files, read_blocks
from byola_hear.checkpoint import CheckpointError
from byola_hear.model import ByolaModel
from byola_hear.tables import FORMATS, TableError, open_table
from byola_hear.terminal import Preview, Progress, aligned
from byola_hear.zoo import describe_model, is_intact, list_models, resolve

#: Seconds of audio decoded at a time.
BLOCK_SECONDS = 10.0


class Failure(click.ClickException):
    """Ends the command with one line and exit code 1."""

    exit_code = 1


@click.group(invoke_without_command=True)
@click.version_option(byola_hear.__version__, prog_name="byola-hear")
@click.pass_context
def commands(context: click.Context) -> None:
    """Embeddings of any sound: BYOL for Audio networks, for HEAR and for everything else."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@commands.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Table to write: .csv or .npz.")
@click.option("--model", "name", default="", metavar="NAME|PATH", help="See `byola-hear models`. Default: both.")
@click.option(
    "--kind",
    type=click.Choice(["scene", "timestamp"]),
    default="scene",
    show_default=True,
    help="One embedding a file, or one every frame.",
)
@click.option("--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, mps.")
@click.option("--overwrite", is_flag=True, help="Replace an output file that exists.")
def embed(paths: tuple[Path, ...], output: Path | None, name: str, kind: str, device: str, overwrite: bool) -> int:
    """Embed audio files and the audio files in folders, of any length, in constant memory.

    Without -o, show each file's duration and its embedding's first numbers and norm.

    Exit codes: 0, all files are embedded; 1, some failed and the others are in the table; 2, wrong usage,
    nothing is done.
    """
    if output is not None:
        check_output(output, overwrite)
    model = loaded_model(name, device)
    files, n_failed = found_files(paths)
    if not files:
        return 1
    label = f"{model.config.name} {model.config.version}"
    size = model.scene_embedding_size if kind == "scene" else model.timestamp_embedding_size
    progress = Progress(len(files), model.sample_rate)
    n_done = 0
    opened = nullcontext(Preview(kind, label)) if output is None else open_table(output, kind, size, label)
    with opened as table:
        for file in files:
            progress.start(file)
            try:
                with table.clip(str(file)) as add:
                    for embeddings, numbers in embedded(file, model, kind, progress):
                        add(embeddings, numbers)
                n_done += 1
            except (ValueError, OSError, RuntimeError) as error:
                progress.clear()
                complain(file, error)
                n_failed += 1
        progress.clear()
        if not n_done and output is not None:
            raise Failure(f"no file could be embedded, {output} is not written")
        if isinstance(table, Preview):
            table.finish()
    if output is not None:
        click.echo(f"{output}: {n_done} files, embeddings of {size} numbers, model {label}")
    return 1 if n_failed else 0


@commands.command()
def models() -> int:
    """List the models that come with the package, each checked against its hash.

    Exit codes: 0, all are intact; 1, one is missing or damaged, or there is none.
    """
    names = list_models()
    if not names:
        raise Failure("no models have come with this installation; a checkpoint's path works as a name")
    rows, all_intact = [], True
    for name in names:
        try:
            intact, card = is_intact(name), describe_model(name)
        except (CheckpointError, OSError) as error:
            click.echo(f"error: {one_line(error)}", err=True)
            rows.append([name, *"?" * 7, "no"])
            all_intact = False
            continue
        all_intact = all_intact and intact
        rows.append(
            [
                name,
                card["version"],
                card["licence"],
                f"{card['frame_ms']:g}",
                str(card["scene_embedding_size"]),
                f"{card['bytes'] / 1e6:.1f}",
                "?" if card["hours"] is None else f"{card['hours']:.1f}",
                card["sha256"][:12],
                "yes" if intact else "no",
            ]
        )
    header = ["name", "version", "licence", "frame ms", "numbers", "MB", "hours", "sha256", "verified"]
    click.echo(aligned(header, rows, left=3))
    return 0 if all_intact else 1


def embedded(
    file: Path, model: ByolaModel, kind: str, progress: Progress
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """A file's embeddings as they are ready.

    Args:
        file: an audio file.
        model: the model.
        kind: ``"scene"`` or ``"timestamp"``.
        progress: counts the samples.

    Yields:
        embeddings ``(k, size)`` and ``(k,)`` durations in s or timestamps in ms.
    """
    decoded = read_blocks(file, model.sample_rate, BLOCK_SECONDS)
    blocks = progress.counted(map(torch.from_numpy, decoded))
    if kind == "scene":
        embedding = model.stream_scene(blocks).cpu().numpy()
        yield embedding[None], np.array([progress.n_in_file / model.sample_rate])
    else:
        for embeddings, milliseconds in model.stream_timestamps(blocks):
            yield embeddings.cpu().numpy(), milliseconds.cpu().double().numpy()


def check_output(output: Path, overwrite: bool) -> None:
    """Refuse an output file that could not be written in the end, before anything is computed."""
    if output.suffix.lower() not in FORMATS:
        raise click.UsageError(f"expected an output file that ends in {' or '.join(FORMATS)}, got {output}")
    if not output.absolute().parent.is_dir():
        raise click.UsageError(f"the folder of {output} does not exist")
    if output.is_dir():
        raise click.UsageError(f"expected an output file, got the folder {output}")
    if output.exists() and not overwrite:
        raise click.UsageError(f"{output} exists; give --overwrite to replace it")


def loaded_model(name: str, device: str) -> ByolaModel:
    """The model on its device; whatever is wrong with either is wrong usage."""
    try:
        target = torch.device(device)
        torch.zeros(1, device=target).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise click.UsageError(f"device {device!r} can't be used: {one_line(error)}") from error
    try:
        return resolve(name).to(target)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error


def found_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """The audio files that paths stand for, none twice, and how many paths stand for none."""
    files: dict[Path, None] = {}
    n_failed = 0
    for path in paths:
        try:
            files.update(dict.fromkeys(audio_files([path])))
        except (ValueError, OSError) as error:
            complain(path, error)
            n_failed += 1
    return list(files), n_failed


def complain(path: Path, error: Exception) -> None:
    """One line on stderr about a file."""
    message = one_line(error)
    click.echo(f"error: {message if str(path) in message else f'{path}: {message}'}", err=True)


def one_line(error: BaseException) -> str:
    """An exception's message without line breaks; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: those after the program's name; the process's own if None.
    """
    try:
        code = commands.main(arguments, prog_name="byola-hear", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("error: interrupted", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {one_line(Exception(error.format_message()))}", err=True)
        code = error.exit_code
    except TableError as error:
        click.echo(f"error: {one_line(error)}", err=True)
        code = 1
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        # Whoever read our output has gone (`| head`): nothing to report, and nothing more to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
