"""Types of options that click does not have."""

from __future__ import annotations

import math
from typing import Any

import click

from byola_hear.labels.delimited import seconds_of


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


class Time(click.ParamType):  # type: ignore[type-arg]  # generic in newer clicks
    """The type of an option that takes seconds or a time of day."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Turn the option's text into seconds."""
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
