"""``python -m byola_hear.pretraining corpora synthesise``: write synthetic textures."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli.types import Finite
from byola_hear.pretraining.commands.options import FOLDER
from byola_hear.pretraining.corpora.textures import write_textures
from byola_hear.utils.text import quantity


@click.command("synthesise", short_help="Write synthetic textures like wind, rain and engines.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the textures.")
@click.option("--hours", type=Finite(min=0), default=0.5, show_default=True, help="Length of all textures, in hours.")
@click.option("--seed", default=42, show_default=True, help="Seed of everything random.")
def synthesise_command(output: Path, hours: float, seed: int) -> None:
    """Write synthetic textures: filtered noise, grains, pulses through resonances, and struck resonators.

    They are a kind of their own, "textures". "corpora build --set nonspeech all FOLDER" takes them into a set, and
    "match --limit textures=0.05" limits their share.

    Exit codes: 0: the textures were written; 2: wrong usage, or a file that can't be written.
    """
    click.echo(f"{output}: {quantity(write_textures(output, hours, seed), 'texture')}")
