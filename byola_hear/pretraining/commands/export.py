"""``python -m byola_hear.pretraining export``: write a run's network as a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.models.encoders.transformer import COMBINATIONS
from byola_hear.models.pooling.combination import MAX_MEAN, POOLINGS
from byola_hear.models.zoo import add_to_zoo
from byola_hear.pretraining.commands.options import FOLDER, RUN
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.run_log import LOG_FILE, log_text, read_log
from byola_hear.utils.files import write_file


@click.command(short_help="Write a run's network as a checkpoint.")
@click.argument("run", type=RUN)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of checkpoints, for instance weights.")
@click.option("--name", help="Name of the model. Default: the name of the run's folder.")
@click.option("--version", default="1", show_default=True, help="Version of the weights.")
@click.option("--licence", default="Apache-2.0", show_default=True, help="Licence of the weights.")
@click.option(
    "--pooling",
    type=click.Choice(list(POOLINGS)),
    default=MAX_MEAN,
    show_default=True,
    help="How frame features become an embedding.",
)
@click.option(
    "--layers",
    metavar="N,…",
    help="Layers of a transformer, from 1, whose outputs make a frame feature. Default: those of the training.",
)
@click.option(
    "--combine",
    type=click.Choice(list(COMBINATIONS)),
    help="How the outputs of a transformer's layers make a frame feature. Default: as in the training.",
)
def export(
    run: Path,
    output: Path,
    name: str | None,
    version: str,
    licence: str,
    pooling: str,
    layers: str | None,
    combine: str | None,
) -> None:
    """Write the network of RUN as byola-NAME.safetensors, in half precision. The run need not be finished.

    The log of the run is written next to the checkpoint, and the checkpoint's hash is added to hashes.json.

    Exit codes: 0: the checkpoint was written; 2: wrong usage, or a folder without a run.
    """
    taken = None if layers is None else _numbers(layers)
    model = export_model(run, name or run.resolve().name, version, licence, pooling, taken, combine)
    output.mkdir(parents=True, exist_ok=True)
    sha256 = add_to_zoo(model, output)
    log = read_log(run / LOG_FILE, model.config.training["step"])
    write_file(output / f"byola-{model.config.name}.log.csv", log_text(log))
    click.echo(f"{output}: {model.config.name} {version}, {model.config.training['crops']} crops, sha256 {sha256}")


def _numbers(text: str) -> list[int]:
    """Parse layers' numbers separated by commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"expected --layers as layers' numbers, for instance 4,5,6, got {text!r}") from None
