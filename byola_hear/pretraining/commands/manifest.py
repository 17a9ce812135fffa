"""``python -m byola_hear.pretraining manifest``: list audio."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.pretraining.commands.options import FILE
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.manifest import hours
from byola_hear.utils.text import quantity


@click.command(short_help="List the audio in folders, files, tars and other manifests.")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="INPUT...")
@click.option("-o", "--output", required=True, type=FILE, help="Manifest to write, a .csv file.")
@click.option("--kind", default="", help="Kind of these sounds, for instance speech or music. Every row gets it.")
@click.option("--licence", default="", help="Licence of these sounds. Every row gets it.")
def manifest(inputs: tuple[Path, ...], output: Path, kind: str, licence: str) -> None:
    """List the audio in folders, files, tars and other manifests as one manifest.

    Tars are unpacked next to the manifest. Rows of other manifests, which end in .csv, are taken as they are; --kind
    and --licence replace theirs. An audio file that can't be read is left out and reported on standard error.

    Exit codes: 0: the manifest was written; 2: wrong usage or no readable audio, no manifest was written.
    """
    failed = 0

    def report(path: Path, reason: str) -> None:
        nonlocal failed
        failed += 1
        click.echo(f"left out: {path}: {reason}", err=True)

    clips = build_manifest(inputs, output, kind, licence, on_error=report)
    click.echo(f"{output}: {quantity(len(clips), 'row')}, {hours(clips):.2f} hours; {failed} left out")
