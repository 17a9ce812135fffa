"""``byola-hear convert``: turn a published checkpoint of the BYOL-A family into one of this package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from byola_hear.cli.errors import Failure
from byola_hear.cli.outputs import check_no_input, check_output_file
from byola_hear.cli.types import Finite
from byola_hear.models.checkpoint import CheckpointError, save_checkpoint
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.legacy import load_legacy
from byola_hear.models.published import FRONTENDS, LICENCE, PRESETS, recognise
from byola_hear.utils.text import one_line


@click.command("convert")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write. It ends in .safetensors."
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="Take front end and statistics of the published networks of BYOL-A v1 or v2. Default: recognise FILE.",
)
@click.option(
    "--frontend",
    type=click.Choice(list(FRONTENDS)),
    help="Front end of any other network: slaney, htk, or htk-400 with a window of 400 samples (BYOL-S).",
)
@click.option("--mean", type=Finite(), help="Mean of the log-mel. Default: that of the preset.")
@click.option("--std", type=Finite(min=0, min_open=True), help="Standard deviation of the log-mel. Default: as --mean.")
@click.option("--licence", help="Licence of the weights, for the header. Default: unknown, or that of the preset.")
@click.option("--overwrite", is_flag=True, help="Replace an existing output file.")
def command(
    file: Path,
    output: Path,
    preset: str | None,
    frontend: str | None,
    mean: float | None,
    std: float | None,
    licence: str | None,
    overwrite: bool,
) -> int:
    """Turn FILE.pth, a published checkpoint of BYOL-A or its relatives, into a checkpoint of this package.

    A .pth does not say with which front end and statistics its network was trained. The published checkpoints of
    BYOL-A are recognised by their contents. For any other file give --preset, or --frontend, --mean and --std: wrong
    ones give wrong embeddings without any error. The file is read as tensors alone; no code in it runs.

    The weights keep their licence. That of BYOL-A's allows evaluation only.

    Exit codes: 0: the file was written; 1: FILE can't be converted; 2: wrong usage, nothing was done.
    """
    check_no_input(output, file)
    check_output_file(output, (".safetensors",), "checkpoint", overwrite)
    if (mean is None) != (std is None):
        raise click.UsageError("expected both --mean and --std, or neither")
    if preset and frontend:
        raise click.UsageError("expected --preset or --frontend, got both")
    known = recognise(file)
    name, recognised = known or (file.stem, None)
    settings, n_blocks = _settings(file, preset or (None if frontend else recognised), frontend, mean, std)
    from_preset = bool(preset or recognised)
    try:
        model = load_legacy(
            file,
            frontend=settings[0],
            mean=settings[1],
            std=settings[2],
            licence=licence or (LICENCE if from_preset else "unknown"),
        )
        if n_blocks not in (None, getattr(model.config.encoder, "n_blocks", n_blocks)):
            got = getattr(model.config.encoder, "n_blocks", "other")
            raise CheckpointError(f"{file}: expected {n_blocks} convolution blocks (preset {preset}), got {got}")
        model.config = replace(model.config, name=name)
        sha256 = save_checkpoint(output, model)
    except (CheckpointError, ValueError, OSError) as error:
        raise Failure(one_line(error)) from error
    config = model.config
    how = f"recognised as {name}" if known else f"preset {preset}" if preset else f"front end {frontend}"
    click.echo(f"{output}: {how}, mean {config.mean:g}, std {config.std:g}, licence {config.licence}, SHA-256 {sha256}")
    return 0


def _settings(
    file: Path, preset: str | None, frontend: str | None, mean: float | None, std: float | None
) -> tuple[tuple[FrontendConfig, float, float], int | None]:
    """The front end, the mean and the standard deviation, and the number of blocks that a preset implies."""
    if preset:
        values = PRESETS[preset]
        return (
            values.frontend,
            values.mean if mean is None else mean,
            values.std if std is None else std,
        ), values.n_blocks
    if not frontend:
        raise click.UsageError(
            f"{file} is not one of the published checkpoints that this command recognises; expected --preset "
            f"({', '.join(PRESETS)}), or --frontend ({', '.join(FRONTENDS)}) with --mean and --std"
        )
    if mean is None or std is None:
        raise click.UsageError("--frontend needs --mean and --std, those of the network's training audio")
    return (FRONTENDS[frontend], mean, std), None
