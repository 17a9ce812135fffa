"""``byola-hear models``: list the models that come with the package."""

from __future__ import annotations

import click

from byola_hear.cli.errors import Failure
from byola_hear.cli.terminal import aligned
from byola_hear.models.checkpoint import CheckpointError
from byola_hear.models.zoo import describe_model, is_intact, list_models
from byola_hear.utils.text import one_line


@click.command("models")
def command() -> int:
    """List the models that come with the package, and check each file against its hash.

    Exit codes: 0: all models are intact; 1: a model is missing or damaged, or the package holds no model.
    """
    try:
        names = list_models()
    except CheckpointError as error:
        raise Failure(one_line(error)) from error
    if not names:
        raise Failure("this installation holds no models; every --model takes the path of a checkpoint")
    rows, all_intact = [], True
    for name in names:
        try:
            intact, card = is_intact(name), describe_model(name)
        except (CheckpointError, OSError) as error:
            click.echo(f"error: {one_line(error)}", err=True)
            rows.append([name, *"?" * 7, "no"])
            all_intact = False
            continue
        all_intact = all_intact and intact
        rows.append(
            [
                name,
                card["version"],
                card["licence"],
                f"{card['frame_ms']:g}",
                str(card["scene_embedding_size"]),
                f"{card['bytes'] / 1e6:.1f}",
                "?" if card["hours"] is None else f"{card['hours']:.1f}",
                card["sha256"][:12],
                "yes" if intact else "no",
            ]
        )
    header = ["name", "version", "licence", "frame ms", "dimensions", "MB", "hours", "sha256", "verified"]
    click.echo(aligned(header, rows, left=3))
    return 0 if all_intact else 1
