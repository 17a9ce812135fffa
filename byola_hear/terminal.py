"""What the command line shows: aligned tables, a preview of embeddings, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.tables import AddRows

#: Seconds between two updates of the progress line.
_UPDATE_SECONDS = 0.2
#: Numbers of an embedding that a preview shows.
_SHOWN = 4


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table as text, its columns aligned.

    Args:
        header: the columns' names.
        rows: their cells.
        left: how many columns, from the first, are aligned to the left.

    Returns:
        Lines without one at the end.

    Example:
        >>> print(aligned(["file", "s"], [["a.wav", "1.5"], ["b.wav", "10.25"]]))
        file       s
        a.wav    1.5
        b.wav  10.25
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def clock(seconds: float) -> str:
    """A duration as hours, minutes and seconds.

    Example:
        >>> clock(3725.4)
        '1:02:05'
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class Preview:
    """A table of embeddings for the eye: a row a file, the first numbers and the norm.

    Takes clips as :class:`~byola_hear.tables.CsvTable` does.

    Args:
        kind: ``"scene"`` or ``"timestamp"``, of which the first of each file is shown.
        model: the model's name.
    """

    def __init__(self, kind: str, model: str) -> None:
        self.kind, self.model = kind, model
        self.lines: list[list[str]] = []

    @contextmanager
    def clip(self, file: str) -> Iterator[AddRows]:
        """Add a clip's rows, as :meth:`byola_hear.tables.CsvTable.clip`."""
        first: NDArray[np.float32] | None = None
        last, n_rows = 0.0, 0

        def add(embeddings: NDArray[np.float32], numbers: NDArray[np.float64]) -> None:
            nonlocal first, last, n_rows
            first = embeddings[0] if first is None else first
            last, n_rows = float(numbers[-1]), n_rows + len(numbers)

        yield add
        if first is None:
            return
        numbers = [f"{value:.4f}" for value in first[:_SHOWN]] + [f"{np.linalg.norm(first):.3f}"]
        about = [f"{last:.2f} s"] if self.kind == "scene" else [str(n_rows), f"{last:.0f} ms"]
        self.lines.append([file, self.model, *about, *numbers])

    def finish(self) -> None:
        """Show the table."""
        about = ["duration"] if self.kind == "scene" else ["timestamps", "last at"]
        header = ["file", "model", *about, *(f"e{index}" for index in range(_SHOWN)), "norm"]
        if self.lines:
            click.echo(aligned(header, self.lines, left=2))


class Progress:
    """One line on stderr: files done, audio done, times real time. Nothing where stderr is no terminal.

    Args:
        n_files: how many files there are.
        sample_rate: of the samples that are counted, Hz.
    """

    def __init__(self, n_files: int, sample_rate: int) -> None:
        self.n_files, self.sample_rate = n_files, sample_rate
        self.visible = sys.stderr.isatty()
        self.file = Path()
        self.n_started = self.n_samples = 0
        #: Samples of the file begun last.
        self.n_in_file = 0
        self.began = time.monotonic()
        self.shown = 0.0

    def start(self, file: Path) -> None:
        """Say that a file is begun."""
        self.file, self.n_in_file = file, 0
        self.n_started += 1
        self._show()

    def counted(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """Pass blocks of samples on and count them."""
        for block in blocks:
            self.n_samples += len(block)
            self.n_in_file += len(block)
            yield block
            self._show()

    def clear(self) -> None:
        """Take the line away, to make room for others."""
        if self.visible:
            click.echo("\r\033[K", nl=False, err=True)
            self.shown = 0.0

    def _show(self) -> None:
        now = time.monotonic()
        if not self.visible or now - self.shown < _UPDATE_SECONDS:
            return
        self.shown = now
        seconds = self.n_samples / self.sample_rate
        speed = seconds / max(now - self.began, 1e-9)
        done = f"{self.n_started - 1}/{self.n_files} files, {clock(seconds)} of audio, {speed:.0f} × real time"
        click.echo(f"\r\033[K{done}, {self.file.name[:40]}", nl=False, err=True)
