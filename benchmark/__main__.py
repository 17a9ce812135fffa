"""The benchmark's commands: ``python -m benchmark COMMAND``. An error is one line on stderr and exit code 2."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from byola_hear.utils.console import print_any_name, warn_in_one_line
from byola_hear.utils.text import one_line

#: Module, name and help of each command. A command is imported when it runs, since some need optional packages.
COMMANDS = {
    "agree": (
        "benchmark.evaluation.agreement",
        "agree_command",
        "Check that heareval's scores agree with an independent probe.",
    ),
    "architectures": (
        "benchmark.studies.architectures.command",
        "architectures_command",
        "Compare what the domain of training data changes for two kinds of networks.",
    ),
    "cards": (
        "benchmark.reporting.cards",
        "cards_command",
        "Write the networks' cards.",
    ),
    "cka": ("benchmark.studies.cka.command", "cka_command", "Compare the networks' layers by linear CKA."),
    "collection": (
        "benchmark.speed.collection",
        "collection_speed_command",
        "Compare the speed from a folder of files to a table with other methods.",
    ),
    "complete": (
        "benchmark.evaluation.complete",
        "complete_command",
        "Measure what is missing from a kept table, and write it again.",
    ),
    "detection": (
        "benchmark.studies.detection.command",
        "detection_command",
        "Learn from a few labels and find events in recordings.",
    ),
    "dimensions": (
        "benchmark.studies.dimensions.command",
        "dimensions_command",
        "Measure what short vectors cost, from 64 dimensions to whole embeddings.",
    ),
    "engines": (
        "benchmark.speed.engines",
        "engines_command",
        "Compare the network's precisions, torch.compile and ONNX Runtime.",
    ),
    "experiments": (
        "benchmark.reporting.experiments",
        "experiments_command",
        "Write the page of experiments before pre-training.",
    ),
    "fetch": ("benchmark.datasets.fetch_command", "fetch_command", "Download and build the labelled sets."),
    "finding": (
        "benchmark.speed.finding",
        "finding_command",
        "Measure the CPU time of learning, detecting and searching.",
    ),
    "finetuning": (
        "benchmark.studies.finetuning.command",
        "finetuning_command",
        "Compare fine-tuned networks with frozen ones.",
    ),
    "few-shot": (
        "benchmark.studies.few_shot.command",
        "few_shot_command",
        "Evaluate probes with 1, 5, 8 and 20 labels of each class.",
    ),
    "parts": (
        "benchmark.speed.parts",
        "parts_command",
        "Measure decoding, resampling, log-mel and network one by one.",
    ),
    "probe": ("benchmark.probes.command", "probe_command", "Evaluate models with a linear probe of clip embeddings."),
    "prove": (
        "benchmark.faults.command",
        "prove_command",
        "Kill commands, fill disks and feed hostile bytes; count what goes wrong.",
    ),
    "readouts": (
        "benchmark.studies.readouts.command",
        "readouts_command",
        "Compare models by a probe with all labels, nearest neighbours and few labels.",
    ),
    "regression": (
        "benchmark.studies.regression.command",
        "regression_command",
        "Predict pitch, level, age and other quantities from embeddings.",
    ),
    "report": (
        "benchmark.studies.report_command",
        "report_command",
        "Write the reports of measured results again.",
    ),
    "rsa": (
        "benchmark.studies.rsa.command",
        "rsa_command",
        "Compare which sounds are similar to models, descriptors and listeners.",
    ),
    "run": (
        "benchmark.evaluation.command",
        "run_command",
        "Evaluate models with HEAR's own probes: the cross-domain table.",
    ),
    "scales": (
        "benchmark.studies.scales.command",
        "scales_command",
        "Compare probes of embeddings as they are and of standardised embeddings.",
    ),
    "shuffled": ("benchmark.evaluation.shuffled", "shuffled_command", "Check that shuffled labels give chance level."),
    "size": (
        "benchmark.studies.size.command",
        "size_command",
        "Compare sizes of networks and amounts of pre-training data.",
    ),
    "speed": ("benchmark.speed.embeddings", "speed_command", "Measure speed, start-up time and memory of the package."),
    "table": ("benchmark.comparison.command", "table_command", "Write the tables and the page of a run again."),
    "time": (
        "benchmark.studies.onsets.command",
        "time_command",
        "Detect onsets with different hops and windows of timestamps.",
    ),
    "training": (
        "benchmark.speed.training",
        "training_command",
        "Measure the speed of pre-training, and plan long runs.",
    ),
    "transfer": (
        "benchmark.studies.transfer.command",
        "transfer_command",
        "Train probes under one condition and test them under another.",
    ),
}


class LazyGroup(click.Group):
    """A group of commands, each of which is imported when it runs."""

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
