"""Outputs that could not be written in the end are refused at once."""

from __future__ import annotations

import os
from pathlib import Path

import click

from byola_hear.utils import files
from byola_hear.utils.text import one_line


def check_no_input(output: str | Path, *inputs: str | Path) -> None:
    """Refuse an output that is an input, as wrong usage; see :func:`byola_hear.utils.files.check_no_input`."""
    try:
        files.check_no_input(output, *inputs)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error


def check_output_file(output: Path, endings: tuple[str, ...], what: str, overwrite: bool) -> None:
    """Refuse a file that could not be written in the end.

    Args:
        output: the file.
        endings: the endings that it may have, with the dot; the first is named in the error.
        what: what the file will be, for errors: ``"page"``.
        overwrite: whether it may exist.

    Raises:
        click.UsageError: if it can't be written, or exists and must not.
    """
    if output.suffix.lower() not in endings:
        raise click.UsageError(f"expected a {what} whose name ends in {endings[0]}, got {output}")
    if output.is_dir():
        raise click.UsageError(f"expected a file for the {what}, got the folder {output}")
    folder = output.absolute().parent
    if not folder.is_dir():
        raise click.UsageError(f"the folder of {output} does not exist")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"{output} can't be written: its folder is read-only")
    if output.exists() and not overwrite:
        raise click.UsageError(f"{output} exists; give --overwrite to replace it")
