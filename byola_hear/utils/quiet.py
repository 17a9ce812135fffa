"""Hide messages that libraries write to the standard error of the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """Hide what C libraries write to file descriptor 2, but not our own messages.

    libsndfile's MP3 decoder prints several lines about each odd tag and header, between error messages and the progress
    bar; what matters is also raised as an error. Python's ``sys.stderr`` continues to work, through another descriptor.
    Descriptors belong to the whole process. Use this around a command line, not in the functions of a library.
    """
    try:
        at_terminal = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        # stderr is captured, as in a notebook or a test, and descriptor 2 belongs to others.
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
