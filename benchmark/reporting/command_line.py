"""The command that numbers were made with, for whoever reads them."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from click.core import ParameterSource

from benchmark.models.loading import baseline_asked_for


def command_line() -> str:
    """The click command that is running with the options that it was given, but for where it reads and writes.

    What is named by an absolute path is called by its name alone: where it is on this machine says nothing about a
    result.
    """
    context = click.get_current_context()
    words = ["python", "-m", "benchmark", str(context.command.name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or name in ("audio", "output", "cache", "no_progress"):
            continue
        value = context.params[name]
        option = [max(parameter.opts, key=len)] if isinstance(parameter, click.Option) else []
        if value is True:
            words += option
            continue
        for each in value if isinstance(value, tuple) else (value,):
            models = name == "models"
            words += [*option, ",".join(map(_named, str(each).split(","))) if models else _named(str(each))]
    return shlex.join(words)


def _named(given: str) -> str:
    """One value of an option; of an absolute path, and of one behind a baseline's ``NAME=``, the last part."""
    asked = baseline_asked_for(given.strip())
    start, text = (f"{asked[0]}=", asked[1]) if asked and asked[1] else ("", given.strip())
    return start + (Path(text).name if Path(text).is_absolute() else text)
