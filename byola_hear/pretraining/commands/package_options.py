"""Options of the commands that fetch packages: which set, and where packages come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from byola_hear.pretraining.corpora.catalogue.corpus import SETS
from byola_hear.pretraining.corpora.packages.fetch import METHODS
from byola_hear.pretraining.corpora.packages.mirror import DEFAULT_MIRROR, DEFAULT_SUITE

set_choice = click.Choice(SETS)


def origin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--from``, ``--mirror`` and ``--suite``, which say where packages come from."""
    for option in (
        click.option("--suite", default=DEFAULT_SUITE, show_default=True, help="Debian release to use on the mirror."),
        click.option("--mirror", default=DEFAULT_MIRROR, show_default=True, help="Address of a Debian mirror."),
        click.option(
            "--from",
            "method",
            type=click.Choice(METHODS),
            default="auto",
            show_default=True,
            help="Where packages come from: apt-get, the mirror, or auto: apt-get first, then the mirror.",
        ),
    ):
        command = option(command)
    return command
