"""The command line ``byola-hear``, also as ``python -m byola_hear``; its sub-commands live in ``byola_hear.cli``.

Exit codes: 0, all is well; 1, something failed and the rest is done, or nothing could be written; 2, the command
was wrong and nothing was done; 130, interrupted. Errors are one line each on stderr.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

import click

import byola_hear
from byola_hear.cli.errors import one_line
from byola_hear.utils.quiet import native_messages_hidden

#: The sub-commands and what `byola-hear --help` says of them.
COMMANDS = {
    "embed": "Embed files, folders and stretches of files into a table.",
    "map": "One page with a map of a collection, to look at and to listen to.",
    "models": "List the models that come with the package.",
    "verify": "Check checkpoints against their hashes.",
    "info": "What is in audio files.",
    "bench": "How fast this machine is, and with which settings.",
    "export": "Write a model as ONNX, front end included.",
}


#: How errors of encoding are handled on stderr.
_AS_IT_IS = "byola_hear.as_it_is"


class _Lazy(click.Group):
    """A group that imports a sub-command's module when it is called, so that none pays for another's imports."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"byola_hear.cli.{name}").command
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
    """Embeddings of any sound: BYOL for Audio networks, for HEAR and for everything else."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _as_it_is(error: UnicodeError) -> tuple[str | bytes, int]:
    """What can't be encoded: the bytes of names that are no text as they are, anything else escaped, never refused."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_AS_IT_IS, _as_it_is)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: those after the program's name; the process's own if None.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A file's name need not be text; it goes out as it is.
        sys.stdout.reconfigure(errors="surrogateescape")
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr.errors == "backslashreplace":
        sys.stderr.reconfigure(errors=_AS_IT_IS)
    try:
        with native_messages_hidden():
            code = commands.main(arguments, prog_name="byola-hear", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("error: interrupted", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {one_line(Exception(error.format_message()))}", err=True)
        code = error.exit_code
    except OSError as error:
        # Where whoever read our output has gone (`| head`), there is nothing to report.
        if error.errno != errno.EPIPE:
            click.echo(f"error: {one_line(error)}", err=True)
        code = 1
        try:
            sys.stdout.flush()
        except OSError:
            # At exit, Python would try again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
