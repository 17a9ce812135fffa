"""``byola-hear export``: a model as one ONNX file, for runtimes without torch."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli.errors import Failure, one_line
from byola_hear.models.loading import resolve
from byola_hear.onnx.export import CHECKS, KINDS, OPSET, OnnxError, export_onnx


@click.command("export")
@click.argument("name", default="", metavar="[MODEL]")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write: .onnx.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="scene",
    show_default=True,
    help="One embedding a clip, or one every frame.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output file that exists.")
def command(name: str, output: Path, kind: str, overwrite: bool) -> int:
    """Write MODEL, a name or a checkpoint's path (default: both), as one ONNX file: waveforms to embeddings.

    The file's input is "waveforms" (batch, n_samples), float32 in [-1, 1] at the model's rate, of any number and
    any length; its output "embeddings" and, of kind timestamp, "timestamps" in milliseconds. Before it takes its
    name, onnxruntime's results are compared with torch's; a file that does not agree is not written.

    Exit codes: 0, the file is written and agrees; 1, it could not be; 2, wrong usage, nothing is done.
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
        model = resolve(name)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    try:
        difference = export_onnx(model, output, kind)
    except (OnnxError, OSError) as error:
        raise Failure(one_line(error)) from error
    config = model.config
    click.echo(
        f"{output}: {config.name} {config.version}, {kind} embeddings of {model.scene_embedding_size} numbers, "
        f"audio at {model.sample_rate} Hz, ONNX opset {OPSET}, {output.stat().st_size / 1e6:.1f} MB"
    )
    click.echo(
        f"largest difference from torch: {difference:.1e} of an embedding's largest number, "
        f"over {sum(batch for _, batch in CHECKS)} clips of 1 sample to a minute"
    )
    return 0
