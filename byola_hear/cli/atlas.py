"""``byola-hear atlas``: write a collection as a Parquet file that Embedding Atlas opens."""

from __future__ import annotations

import io
from pathlib import Path

import click
import soundfile

from byola_hear.analysis.atlas import OPTIONS, write_atlas
from byola_hear.analysis.layouts import METHODS, check_method
from byola_hear.analysis.map import folder_labels
from byola_hear.audio.reading import read_audio
from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.inputs import embedded
from byola_hear.cli.outputs import check_no_input, check_output_file
from byola_hear.cli.terminal import complain
from byola_hear.cli.types import Finite
from byola_hear.tables import TableError
from byola_hear.utils.text import one_line, quantity

#: Sample rate of the sounds in the file, Hz: that of the networks.
_SAMPLE_RATE = 16000


@click.command("atlas")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...|TABLE")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write. Its name ends in .parquet."
)
@click.option(
    "--layout",
    type=click.Choice(list(METHODS)),
    default="pca",
    show_default=True,
    help="Method that places the points.",
)
@options.layout_seed
@click.option("--vectors", is_flag=True, help="Write the embeddings, too, as a column of lists.")
@click.option("--audio", is_flag=True, help="Write the sound of every row, too, as FLAC at 16 kHz.")
@click.option(
    "--audio-seconds",
    type=Finite(0.05),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Length up to which a sound is written.",
)
@options.model
@click.option("--window", type=float, metavar="SECONDS", help="Write one row per window of this length.")
@options.device
@options.two_decoding_threads
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def command(
    paths: tuple[str, ...],
    output: Path,
    layout: str,
    seed: int,
    vectors: bool,
    audio: bool,
    audio_seconds: float,
    name: str,
    window: float | None,
    device: str,
    workers: int,
    overwrite: bool,
) -> int:
    """Write the clips in PATH, or a TABLE that `byola-hear embed` wrote, for Embedding Atlas.

    The file has a row for each clip or window: file, start, end, label (the folder), x and y of the layout, and the
    nearest neighbours, as `byola-hear map` finds them. The command that opens it is printed.

    Exit codes: 0: every clip is in the file; 1: a clip is missing or has no sound, or the file could not be written; 2:
    wrong usage, nothing was done.
    """
    check_no_input(output, *paths)
    check_output_file(output, (".parquet",), "file", overwrite)
    try:
        check_method(layout)
        table, failures = embedded(paths, name, window, device, workers)
    except (ValueError, OSError, TableError) as error:
        raise click.UsageError(one_line(error)) from error
    for file, reason in failures.items():
        complain(file, reason)
    if not len(table):
        raise Failure(f"no file could be embedded; {output} was not written")
    silent: dict[str, str] = {}

    def sound(file: str, start: float, end: float) -> bytes:
        try:
            samples = read_audio(file, _SAMPLE_RATE, start, min(end, start + audio_seconds))
        except (ValueError, OSError) as error:
            silent[file] = one_line(error)
            return b""
        stream = io.BytesIO()
        soundfile.write(stream, samples, _SAMPLE_RATE, "PCM_16", format="FLAC")
        return stream.getvalue()

    labels = folder_labels([str(file) for file in table.index.get_level_values("file")])
    try:
        size = write_atlas(
            output, table, labels, layout=layout, seed=seed, vectors=vectors, audio=sound if audio else None
        )
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    except OSError as error:
        raise Failure(one_line(error)) from error
    for file, reason in silent.items():
        complain(file, f"no sound: {reason}")
    click.echo(f"{output}: {quantity(len(table), 'row')}, {size / 1e6:.2f} MB")
    click.echo(f"open it: embedding-atlas {output} {OPTIONS}{' --audio audio' if audio else ''}")
    return 1 if failures or silent else 0
