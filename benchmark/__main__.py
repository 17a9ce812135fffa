"""The benchmark's commands: ``python -m benchmark COMMAND``. An error is one line on stderr and exit code 2."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from byola_hear.utils.console import print_any_name, warn_in_one_line
from byola_hear.utils.text import one_line

#: Module and help of each command, which is called ``command`` there. It is imported when it runs, since some commands
#: need optional packages.
COMMANDS = {
    "agree": ("evaluation.agreement", "Check that heareval's scores agree with an independent probe."),
    "architectures": (
        "studies.architectures.command",
        "Compare what the domain of training data changes for two kinds of networks.",
    ),
    "cards": ("reporting.cards", "Write the networks' cards."),
    "cka": ("studies.cka.command", "Compare the networks' layers by linear CKA."),
    "collection": ("speed.collection", "Compare the speed from a folder of files to a table with other methods."),
    "complete": ("evaluation.complete", "Measure what is missing from a kept table, and write it again."),
    "detection": ("studies.detection.command", "Learn from a few labels and find events in recordings."),
    "dimensions": (
        "studies.dimensions.command",
        "Measure what short vectors cost, from 64 dimensions to whole embeddings.",
    ),
    "engines": ("speed.engines", "Compare the network's precisions, torch.compile and ONNX Runtime."),
    "experiments": ("reporting.experiments", "Write the page of experiments before pre-training."),
    "fetch": ("datasets.fetch_command", "Download and build the labelled sets."),
    "finding": ("speed.finding", "Measure the CPU time of learning, detecting and searching."),
    "finetuning": ("studies.finetuning.command", "Compare fine-tuned networks with frozen ones."),
    "few-shot": ("studies.few_shot.command", "Evaluate probes with 1, 5, 8 and 20 labels of each class."),
    "parts": ("speed.parts", "Measure decoding, resampling, log-mel and network one by one."),
    "probe": ("probes.command", "Evaluate models with a linear probe of clip embeddings."),
    "prove": ("faults.command", "Kill commands, fill disks and feed hostile bytes; count what goes wrong."),
    "readouts": (
        "studies.readouts.command",
        "Compare models by a probe with all labels, nearest neighbours and few labels.",
    ),
    "regression": ("studies.regression.command", "Predict pitch, level, age and other quantities from embeddings."),
    "report": ("studies.report_command", "Write the reports of measured results again."),
    "rsa": ("studies.rsa.command", "Compare which sounds are similar to models, descriptors and listeners."),
    "run": ("evaluation.command", "Evaluate models with HEAR's own probes: the cross-domain table."),
    "scales": ("studies.scales.command", "Compare probes of embeddings as they are and of standardised embeddings."),
    "search": ("studies.search.command", "Compare the two cosines of a search."),
    "shuffled": ("evaluation.shuffled", "Check that shuffled labels give chance level."),
    "size": ("studies.size.command", "Compare sizes of networks and amounts of pre-training data."),
    "speed": ("speed.embeddings", "Measure speed, start-up time and memory of the package."),
    "table": ("comparison.command", "Write the tables and the page of a run again."),
    "time": ("studies.onsets.command", "Detect onsets with different hops and windows of timestamps."),
    "training": ("speed.training", "Measure the speed of pre-training, and plan long runs."),
    "transfer": ("studies.transfer.command", "Train probes under one condition and test them under another."),
}


class LazyGroup(click.Group):
    """A group of commands, each of which is imported when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(f"benchmark.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def commands(context: click.Context) -> None:
    """Measure audio embeddings and the package that makes them."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(command: click.Command, arguments: Sequence[str] | None, name: str) -> NoReturn:
    """Run a command and exit. Invalid input is reported in one line on stderr, with exit code 2.

    Args:
        command: the command.
        arguments: arguments after the program's name; those of the process if None.
        name: the program's name in the help.
    """
    print_any_name()
    warn_in_one_line()
    try:
        code = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("error: interrupted", err=True)
        code = 130
    except click.ClickException as error:
        click.echo(f"error: {one_line(error.format_message())}", err=True)
        code = error.exit_code
    except (ValueError, OSError, ModuleNotFoundError) as error:
        click.echo(f"error: {one_line(error)}", err=True)
        code = 2
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``python -m benchmark`` and exit."""
    run(commands, arguments, "python -m benchmark")


if __name__ == "__main__":
    main()
