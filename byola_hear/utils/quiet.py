"""Silence for libraries that write to the process's standard error without being asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """Keep what C libraries write to file descriptor 2 off the terminal, and our own messages on it.

    libsndfile's MP3 decoder remarks on every odd tag and header, several lines a file, in between error messages and
    the progress bar; what matters of it comes back as the error of a file. Python's ``sys.stderr`` goes on to where it
    went, by another descriptor. The descriptors belong to the whole process: for command lines, around all that they
    do, not for a library's functions.
    """
    try:
        at_terminal = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        # Captured, as in a notebook or a test: descriptor 2 is not ours.
        at_terminal = False
    if not at_terminal:
        yield
        return
    before = sys.stderr
    before.flush()
    with os.fdopen(os.dup(2), "w", buffering=1, encoding=before.encoding, errors=before.errors) as own:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        sys.stderr = own
        try:
            yield
        finally:
            own.flush()
            sys.stderr = before
            os.dup2(own.fileno(), 2)
