"""``python -m byola_hear.pretraining cache``: decode a manifest's audio."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.pretraining.commands.options import FOLDER, MANIFEST, cache_with_progress, workers_option
from byola_hear.utils.text import quantity


@click.command(short_help="Decode a manifest's audio into log-mels.")
@click.argument("manifest", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the cache.")
@workers_option
def cache(manifest: Path, output: Path, workers: int) -> None:
    """Decode the audio of MANIFEST into a log-mel cache and compute its statistics. `train` does this by itself.

    An hour of audio takes 46 MB. The same command continues an interrupted build. A row that can't be read is left out
    and reported on standard error.

    Exit codes: 0: the cache is complete; 2: wrong usage, or no row could be read.
    """
    made = cache_with_progress(manifest, output, workers)
    failed = made.info["failed"]
    for reason in failed:
        click.echo(f"left out: {reason}", err=True)
    click.echo(
        f"{output}: {quantity(made.info['rows'], 'row')}, {made.info['hours']:.2f} hours, mean {made.mean:.4f}, "
        f"standard deviation {made.std:.4f}; {len(failed)} left out"
    )
