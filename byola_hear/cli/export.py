"""``byola-hear export``: write a model as one ONNX file, for runtimes without PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.outputs import check_output_file
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.onnx.export import CHECKS, KINDS, OPSET, OnnxError, export_onnx
from byola_hear.utils.text import one_line


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
@options.dimensions
@click.option(
    "--classifier",
    "head",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Export this classifier from `byola-hear learn` with its network: from waveforms to scores.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing output file.")
def command(name: str, output: Path, kind: str, dimensions: int | None, head: Path | None, overwrite: bool) -> int:
    """Write MODEL as one ONNX file, from waveforms to embeddings. MODEL is a name or the path of a checkpoint.

    Without MODEL, the model "both" is exported, or the one that --classifier names. The graph's input is "waveforms"
    (batch, n_samples): float32 in [-1, 1] at the model's sample rate, any number of clips of any length. Its output is
    "embeddings" and, with --kind timestamp, "timestamps" in milliseconds. With --classifier, its outputs are the
    "scores" of the windows that `byola-hear predict` takes, and their "starts" and "ends" in seconds.

    The results of onnxruntime are compared with those of PyTorch first. If they do not agree, no file is written.

    Exit codes: 0: the file was written and agrees; 1: it could not be written; 2: wrong usage, nothing was done.
    """
    check_output_file(output, (".onnx",), "model", overwrite)
    if head is not None:
        if kind != "scene" or dimensions is not None:
            raise click.UsageError("--classifier says what is embedded; --kind and --dimensions do not apply")
        return with_classifier(name, head, output)
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
        f"{described(model, output)}"
    )
    click.echo(
        f"largest difference from PyTorch: {difference:.1e} of the largest value of an embedding, "
        f"over {sum(batch for _, batch in CHECKS)} clips from 1 sample to 1 minute"
    )
    return 0


def with_classifier(name: str, head: Path, output: Path) -> int:
    """Export a classifier with its network; the exit code."""
    from byola_hear.classification.exporting import export_classifier
    from byola_hear.classification.file import load_classifier
    from byola_hear.classification.predicting import network_of

    try:
        classifier = load_classifier(head)
        model = network_of(classifier, name or None)
        difference = export_classifier(model, classifier, output)
    except OnnxError as error:
        raise Failure(one_line(error)) from error
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    classes = f"{len(classifier.classes)} class{'' if len(classifier.classes) == 1 else 'es'}"
    click.echo(
        f"{output}: {model.config.name} {model.config.version} and {head.name}, {classes}, windows of "
        f"{classifier.window:g} s every {classifier.hop:g} s, {described(model, output)}"
    )
    click.echo(f"largest difference of a score from `byola-hear predict`: {difference:.1e}")
    return 0


def described(model: ByolaModel, output: Path) -> str:
    """What an exported file takes, and its size."""
    return f"audio at {model.sample_rate} Hz, ONNX opset {OPSET}, {output.stat().st_size / 1e6:.1f} MB"
