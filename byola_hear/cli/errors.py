"""The error of the command line, one line."""

from __future__ import annotations

import click


class Failure(click.ClickException):
    """Ends the command with one line and exit code 1."""

    exit_code = 1
