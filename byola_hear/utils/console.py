"""What command lines print: names of files in any encoding; warnings, and a lack of memory, in one line."""

from __future__ import annotations

import codecs
import io
import sys
import warnings
from typing import TextIO

from byola_hear.utils.text import one_line

_HANDLER = "byola_hear.as_it_is"


def print_any_name() -> None:
    """Make stdout and stderr accept any file name from now on.

    Bytes that are not text are written unchanged. Characters that the encoding lacks are escaped: on Windows, for
    example, redirected output is in cp1252. A handler that the user chose, as by ``PYTHONIOENCODING``, stays.
    """
    for stream, default in ((sys.stdout, "strict"), (sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == default:
            stream.reconfigure(errors=_HANDLER)


def _as_it_is(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_HANDLER, _as_it_is)


def warn_in_one_line() -> None:
    """Print this package's warnings as one line on standard error, like errors, and without a place in the code."""
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category.__module__.partition(".")[0] == "byola_hear":
            print(f"warning: {one_line(message)}", file=file or sys.stderr)
        else:
            others(message, category, filename, lineno, file, line)

    warnings.showwarning = show


def memory_lacked(error: Exception) -> str | None:
    """What Python, NumPy, Arrow or torch says if memory ran out, on one line; None for any other error.

    Example:
        >>> memory_lacked(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. …"))
        "can't allocate memory: you tried to allocate 9 bytes"
        >>> memory_lacked(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None
        True
    """
    # torch has a type of its own for devices; it is known by its name, as `--help` does without torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return one_line(error).split(". ")[0]
    _, _, needed = one_line(error).rpartition("DefaultCPUAllocator: ")
    is_lack = needed.startswith(("can't allocate memory", "not enough memory"))  # the second is that of Windows
    return needed.split(". ")[0] if is_lack else None
