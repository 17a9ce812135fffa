"""How commands refuse and fail: in one line."""

from __future__ import annotations

import math
from typing import Any

import click


class Failure(click.ClickException):
    """Ends the command with one line and exit code 1."""

    exit_code = 1


class Finite(click.FloatRange):
    """An option's number in a range, and neither nan, which no range refuses, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number.

        Raises:
            click.BadParameter: if it is none, or not such a one.
        """
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"expected a finite number, got {value}", param, ctx)
        return number


def one_line(error: BaseException) -> str:
    """An exception's message without line breaks; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
