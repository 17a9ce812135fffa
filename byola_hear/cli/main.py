"""The command line ``byola-hear``, also ``python -m byola_hear``. Each command has a module in this folder.

Exit codes are 0 for success, 1 if something failed, 2 for wrong usage, in which case nothing was done, and 130 after an
interruption. Each error is one line on stderr.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

import click

import byola_hear
from byola_hear.utils.console import memory_lacked, print_any_name, warn_in_one_line
from byola_hear.utils.importing import imported_at_once
from byola_hear.utils.quiet import native_messages_hidden
from byola_hear.utils.text import one_line

#: The commands and their lines in `byola-hear --help`.
COMMANDS = {
    "embed": "Embed files, folders and segments of files into a table.",
    "learn": "Train a classifier on labelled sounds.",
    "predict": "Find a classifier's classes in recordings.",
    "finetune": "Fine-tune a network on labelled sounds.",
    "review": "Make a web page to check detections on, by ear.",
    "search": "Find the segments of a collection that are most like a sound.",
    "map": "Make a web page with a map of a collection of sounds.",
    "atlas": "Write a collection as a Parquet file for Embedding Atlas.",
    "models": "List the models that come with the package.",
    "verify": "Check checkpoints against their hashes.",
    "info": "Show what audio files contain.",
    "bench": "Measure the speed of this machine and find the best settings.",
    "convert": "Turn a published checkpoint (.pth) into one of this package.",
    "export": "Write a model with its front end as ONNX.",
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is called, so that it starts quickly."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = imported_at_once(f"byola_hear.cli.{name}").command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = "".join(f"did you mean {match}? " for match in get_close_matches(name, COMMANDS, 1))
            context.fail(f"No such command {name!r}; {near}known commands: {', '.join(COMMANDS)}")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(byola_hear.__version__, prog_name="byola-hear")
@click.pass_context
def commands(context: click.Context) -> None:
    """Embed any sound with networks that were pre-trained with BYOL for Audio."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: the arguments after the program's name; None for those of the process.
    """
    print_any_name()
    warn_in_one_line()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        # Before messages are hidden: a library that ends the process while it is loaded, as OpenMP does, says why.
        if given and given[0] in COMMANDS:
            imported_at_once(f"byola_hear.cli.{given[0]}")
        with native_messages_hidden():
            code = commands.main(arguments, prog_name="byola-hear", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("error: interrupted", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {one_line(error.format_message())}", err=True)
        code = error.exit_code
    except (MemoryError, RuntimeError) as error:
        if (said := memory_lacked(error)) is None:
            raise
        click.echo(f"error: memory ran out ({said})", err=True)
        code = 1
    except OSError as error:
        # If the reader of the output has ended (`| head`), there is nothing to report.
        if error.errno != errno.EPIPE:
            click.echo(f"error: {one_line(error)}", err=True)
        code = 1
        try:
            sys.stdout.flush()
        except OSError:
            # Python would flush it again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
