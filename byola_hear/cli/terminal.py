"""What the command line prints: aligned tables, errors of files, a preview of embeddings, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

import click
import numpy as np
from tqdm import tqdm

from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Done, Event, Rows
from byola_hear.utils.text import one_line

#: Dimensions of an embedding that a preview shows.
_SHOWN = 4


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Format a table as text with aligned columns, a line for each row: line breaks in cells become spaces.

    Args:
        header: names of the columns.
        rows: cells of each row.
        left: number of columns, from the first, that are aligned to the left.

    Returns:
        The lines, without a line break at the end.

    Example:
        >>> print(aligned(["file", "s"], [["a.wav", "1.5"], ["b.wav", "10.25"]]))
        file       s
        a.wav    1.5
        b.wav  10.25
    """
    lines = [[" ".join(cell.splitlines()) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def clock(seconds: float) -> str:
    """Format a duration as hours, minutes and seconds.

    Example:
        >>> clock(3725.4)
        '1:02:05'
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def stderr_is_terminal() -> bool:
    """Whether stderr is a terminal. Python has no stderr if the shell closed it."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(text: str, quiet: bool) -> None:
    """Print a line, unless --quiet."""
    if not quiet:
        click.echo(text)


def complain(file: str, reason: str) -> None:
    """Print one line about a file on stderr."""
    click.echo(f"error: {one_line(reason if file in reason else f'{file}: {reason}')}", err=True)


class Preview:
    """A short table of embeddings: one row per clip, with the first dimensions and the norm of its first embedding.

    Args:
        request: what was asked of each clip.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.lines: list[list[str]] = []
        self.first: Rows | None = None
        self.n_rows = 0

    def add(self, event: Event) -> None:
        """Add an event of an extraction."""
        if isinstance(event, Rows):
            self.first = self.first or event
            self.n_rows += len(event)
            return
        if isinstance(event, Done) and self.first is not None:
            embedding = self.first.embeddings[0]
            numbers = [f"{value:.4f}" for value in embedding[:_SHOWN]] + [f"{np.linalg.norm(embedding):.3f}"]
            span = [f"{event.clip.start:.2f}", f"{event.clip.start + event.seconds:.2f}"]
            self.lines.append([event.clip.file, *span, str(self.n_rows), *numbers])
        self.first, self.n_rows = None, 0

    def finish(self) -> None:
        """Print the table."""
        header = [
            "file",
            "start s",
            "end s",
            "rows",
            *(f"e{index}" for index in range(min(_SHOWN, self.request.size))),
            "norm",
        ]
        if self.lines:
            click.echo(aligned(header, self.lines))
            click.echo(
                f"model {self.request.model}, embeddings of {self.request.size} dimensions; use -o FILE to keep them"
            )


class Progress:
    """A progress bar on stderr: files, files per second, time left, audio done, times real time.

    Args:
        n_clips: number of clips in all.
        n_done: number of clips that an earlier run did.
        visible: whether to show the bar. None shows it only if stderr is a terminal.
    """

    def __init__(self, n_clips: int, n_done: int = 0, visible: bool | None = None) -> None:
        hidden = sys.stderr is None or not (stderr_is_terminal() if visible is None else visible)
        self.bar = tqdm(
            total=n_clips, initial=n_done, unit="file", disable=hidden, leave=False, file=sys.stderr, smoothing=0.05
        )
        self.began = time.monotonic()
        self.seconds = 0.0

    def add(self, event: Event) -> None:
        """Count an event of an extraction."""
        if isinstance(event, Rows):
            # The rows of a clip of many hours show how far it is.
            self._show(self.seconds + float(event.end[-1]) - event.clip.start)
            return
        if isinstance(event, Done):
            self.seconds += event.seconds
        self.bar.update()
        self._show(self.seconds)

    def complain(self, message: str) -> None:
        """Print one line on stderr, above the bar."""
        self.bar.clear()
        click.echo(f"error: {' '.join(message.splitlines())}", err=True)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()

    def summary(self) -> str:
        """A sentence on what was done."""
        if not self.seconds:
            return "nothing was left to embed"
        elapsed = max(time.monotonic() - self.began, 1e-9)
        return f"{clock(self.seconds)} of audio now, at {self.seconds / elapsed:.0f} × real time"

    def _show(self, seconds: float) -> None:
        if not self.bar.disable:
            speed = seconds / max(time.monotonic() - self.began, 1e-9)
            self.bar.set_postfix_str(f"{clock(seconds)} of audio, {speed:.0f} × real time", refresh=False)
