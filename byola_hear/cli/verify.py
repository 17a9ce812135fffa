"""``byola-hear verify``: check the hashes and the contents of checkpoints."""

from __future__ import annotations

import click

from byola_hear.cli.errors import Failure
from byola_hear.cli.terminal import aligned
from byola_hear.models.checkpoint import CheckpointError
from byola_hear.models.loading import is_path, load_checkpoint, load_named
from byola_hear.models.zoo import read_hashes
from byola_hear.utils.files import file_hash
from byola_hear.utils.text import one_line


@click.command("verify")
@click.argument("models", nargs=-1, metavar="[NAME|PATH]...")
def command(models: tuple[str, ...]) -> int:
    """Check that checkpoints can be loaded, hold finite values only, and have the right SHA-256.

    Models are given by name or by path. Without arguments, all models that come with the package are checked. The
    SHA-256 of a path is printed, so that you can compare it with what its author published.

    Exit codes: 0: every checkpoint is good; 1: at least one is not.
    """
    try:
        named = read_hashes()
    except CheckpointError as error:
        raise Failure(one_line(error)) from error
    rows, n_bad = [], 0
    for model in models or sorted(named):
        try:
            if model in named or (model and not is_path(model)):
                network = load_named(model)
                sha256, verdict = named[model]["sha256"], "intact"
            else:
                network = load_checkpoint(model)
                sha256 = file_hash(model)
                verdict = "can be loaded; no published hash to compare"
        except (ValueError, OSError) as error:
            click.echo(f"error: {one_line(error)}", err=True)
            n_bad += 1
            continue
        rows.append([model, network.config.version, sha256, verdict])
    if rows:
        click.echo(aligned(["model", "version", "sha256", "verdict"], rows, left=4))
    return 1 if n_bad or not rows else 0
