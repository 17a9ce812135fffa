"""``byola-hear export``: write a model as one ONNX file, for runtimes without PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli.errors import Failure, one_line
from byola_hear.models.loading import resolve
from byola_hear.onnx.export import CHECKS, KINDS, OPSET, OnnxError, export_onnx


@click.command("export")
@click.argument("name", default="", metavar="[MODEL]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write. Its name ends in .onnx."
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="scene",
    show_default=True,
    help="scene: one embedding per clip. timestamp: one per frame, with its time.",
)
@click.option(
    "--dimensions",
    type=click.IntRange(1),
    metavar="N",
    help="Length of an embedding, 1 to 1024: its principal components. Default: the whole embedding, 3072.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing output file.")
def command(name: str, output: Path, kind: str, dimensions: int | None, overwrite: bool) -> int:
    """Write MODEL as one ONNX file, from waveforms to embeddings. MODEL is a name or the path of a checkpoint.

    Without MODEL, the model "both" is exported. The graph's input is "waveforms" (batch, n_samples): float32 in
    [-1, 1] at the model's sample rate, any number of clips of any length. Its output is "embeddings" and, with --kind
    timestamp, "timestamps" in milliseconds. The results of onnxruntime are compared with those of PyTorch first. If
    they do not agree, no file is written.

    Exit codes: 0: the file was written and agrees; 1: it could not be written; 2: wrong usage, nothing was done.
    """
    if output.suffix.lower() != ".onnx":
        raise click.UsageError(f"expected an output file that ends in .onnx, got {output}")
    if not output.absolute().parent.is_dir():
        raise click.UsageError(f"the folder of {output} does not exist")
    if output.is_dir():
        raise click.UsageError(f"expected an output file, got the folder {output}")
    if output.exists() and not overwrite:
        raise click.UsageError(f"{output} exists; give --overwrite to replace it")
    try:
        model = resolve(name, dimensions=dimensions)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    try:
        difference = export_onnx(model, output, kind)
    except (OnnxError, OSError) as error:
        raise Failure(one_line(error)) from error
    config = model.config
    click.echo(
        f"{output}: {config.name} {config.version}, {kind} embeddings of {model.scene_embedding_size} dimensions, "
        f"audio at {model.sample_rate} Hz, ONNX opset {OPSET}, {output.stat().st_size / 1e6:.1f} MB"
    )
    click.echo(
        f"largest difference from PyTorch: {difference:.1e} of the largest value of an embedding, "
        f"over {sum(batch for _, batch in CHECKS)} clips from 1 sample to 1 minute"
    )
    return 0
