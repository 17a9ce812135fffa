"""What a command gave back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Result(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str


#: Runs the command line in this process.
Run = Callable[..., Result]
