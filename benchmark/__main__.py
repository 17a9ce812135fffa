"""The benchmark's commands: ``python -m benchmark COMMAND``. Errors are one line on stderr, exit code 2."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from byola_hear.utils.console import print_any_name

#: Commands and where they are; imported when asked for, since some need what others do without.
COMMANDS = {
    "agree": (
        "benchmark.evaluation.agreement",
        "agree_command",
        "A check: heareval's score beside an independent probe's.",
    ),
    "cards": (
        "benchmark.reporting.cards",
        "cards_command",
        "The networks' cards, from checkpoints, logs and the probe's table.",
    ),
    "cka": ("benchmark.studies.cka.command", "cka_command", "How alike the networks' layers are: linear CKA."),
    "collection": (
        "benchmark.speed.collection",
        "collection_speed_command",
        "Speed from a folder of files to a table, beside other ways.",
    ),
    "experiments": (
        "benchmark.reporting.experiments",
        "experiments_command",
        "What was tried before the long runs, and what it did.",
    ),
    "fetch": ("benchmark.datasets.fetch_command", "fetch_command", "The labelled sets, from their public origins."),
    "few-shot": ("benchmark.studies.few_shot.command", "few_shot_command", "Probes of 1, 5 and 20 labels a class."),
    "probe": ("benchmark.probes.command", "probe_command", "Models by tasks: a linear probe of clip embeddings."),
    "regression": (
        "benchmark.studies.regression.command",
        "regression_command",
        "Numbers from embeddings: pitch, level, age.",
    ),
    "rsa": ("benchmark.studies.rsa.command", "rsa_command", "Similarity of sounds by model, descriptor and listener."),
    "run": (
        "benchmark.evaluation.command",
        "run_command",
        "Models by tasks under HEAR's own probes: the cross-domain table.",
    ),
    "shuffled": ("benchmark.evaluation.shuffled", "shuffled_command", "A check: shuffled labels give chance."),
    "size": ("benchmark.studies.size.command", "size_command", "Encoder width against volume of pre-training data."),
    "speed": ("benchmark.speed.embeddings", "speed_command", "Speed, start-up time and memory of the package."),
    "table": ("benchmark.comparison.command", "table_command", "A run's tables and page, made again."),
    "time": ("benchmark.studies.onsets.command", "time_command", "Onsets against the timestamps' hop and window."),
    "transfer": (
        "benchmark.studies.transfer.command",
        "transfer_command",
        "Probes trained on one set, tested on another.",
    ),
}


class LazyGroup(click.Group):
    """A group of commands that are imported when one is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def commands(context: click.Context) -> None:
    """Measure audio embeddings and the package that makes them."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(command: click.Command, arguments: Sequence[str] | None, name: str) -> NoReturn:
    """Run a command and exit; whatever was wrong with what it was given is one line on stderr, exit code 2.

    Args:
        command: the command.
        arguments: those after the program's name; the process's own if None.
        name: the program's name in the help.
    """
    print_any_name()
    try:
        code = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("error: interrupted", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {' '.join(error.format_message().split())}", err=True)
        code = error.exit_code
    except (ValueError, OSError, ModuleNotFoundError) as error:
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        code = 2
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``python -m benchmark`` and exit."""
    run(commands, arguments, "python -m benchmark")


if __name__ == "__main__":
    main()
