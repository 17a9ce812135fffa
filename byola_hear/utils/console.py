"""Printing names of files, which need not be text and may have characters that the terminal's encoding lacks."""

from __future__ import annotations

import codecs
import io
import sys

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
