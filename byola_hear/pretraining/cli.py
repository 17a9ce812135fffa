"""The command line of pre-training: ``python -m byola_hear.pretraining``.

Exit codes: 0: done; 1: training diverged, or no package could be fetched; 2: wrong usage, or a file that can't be read
or written; 130: interrupted. An error is one line on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click
import torch

from byola_hear.pretraining.commands.cache import cache
from byola_hear.pretraining.commands.corpora import corpora
from byola_hear.pretraining.commands.directions import directions
from byola_hear.pretraining.commands.distil import distil
from byola_hear.pretraining.commands.export import export
from byola_hear.pretraining.commands.manifest import manifest
from byola_hear.pretraining.commands.match import match_command
from byola_hear.pretraining.commands.packed import pack_command, train_packed_command
from byola_hear.pretraining.commands.plot import plot
from byola_hear.pretraining.commands.train import train
from byola_hear.utils.console import memory_lacked, print_any_name, warn_in_one_line
from byola_hear.utils.text import one_line


class _InOrder(click.Group):
    """A group that lists its commands in the order of the work, not of the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def commands(context: click.Context) -> None:
    """Pre-train networks on any audio, without labels."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (
    *(corpora, manifest, match_command, cache, train, distil, pack_command),
    *(train_packed_command, plot, export, directions),
):
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: the arguments after the program's name. None takes those of the process.
    """
    print_any_name()
    warn_in_one_line()
    try:
        commands.main(arguments, prog_name="python -m byola_hear.pretraining", standalone_mode=False)
        code = 0
    except click.exceptions.Abort:
        click.echo("error: interrupted; the same command continues", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {one_line(error.format_message())}", err=True)
        code = error.exit_code
    except FloatingPointError as error:
        click.echo(f"error: {error}", err=True)
        code = 1
    except torch.OutOfMemoryError as error:
        click.echo(f"error: {str(error).split('. ')[0]}; a smaller --batch-size needs less memory", err=True)
        code = 2
    except (MemoryError, RuntimeError) as error:
        if (said := memory_lacked(error)) is None:
            raise
        click.echo(f"error: {said}; a smaller --batch-size, or shorter recordings, need less memory", err=True)
        code = 2
    except (ValueError, OSError) as error:
        click.echo(f"error: {one_line(error)}", err=True)
        code = 2
    sys.exit(code)
