"""The command that produced a result."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from click.core import ParameterSource

from benchmark.models.loading import baseline_asked_for

#: Options that change no result.
_NO_RESULT = ("audio", "sources", "output", "outputs", "cache", "jobs", "keep_embeddings", "no_progress", "quiet")


def command_line() -> str:
    """The click command that was typed with its options, without those that name folders or change no result.

    Empty if no command is running. Absolute paths are shortened to the file's name: its place on this machine does not
    affect the result.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return ""
    # `complete` invokes `run`; what was typed is the outer one.
    while context.parent is not None and not isinstance(context.parent.command, click.Group):
        context = context.parent
    words = ["python", "-m", "benchmark", str(context.command.name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or name in _NO_RESULT:
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
    """A value of an option, with absolute paths shortened to their last part, also after a baseline's ``NAME=``."""
    asked = baseline_asked_for(given.strip())
    start, text = (f"{asked[0]}=", asked[1]) if asked and asked[1] else ("", given.strip())
    return start + (Path(text).name if Path(text).is_absolute() else text)
