"""Errors of the command line, each one line."""

from __future__ import annotations

import math
from typing import Any

import click


class Failure(click.ClickException):
    """Ends the command with one line and exit code 1."""

    exit_code = 1


class Finite(click.FloatRange):
    """The type of an option that takes a finite number in a range. click's own ranges let nan through."""

    def _describe_range(self) -> str:
        # click describes a range without bounds as x<=None.
        return super()._describe_range() if (self.min, self.max) != (None, None) else ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Turn the option's text into a number.

        Raises:
            click.BadParameter: if it is not a number, not finite, or outside the range.
        """
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"expected a finite number, got {value}", param, ctx)
        return number
