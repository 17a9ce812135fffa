"""What a decoder gives, whichever it is: channels at the file's own rate, from any sample on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: How much the length that is read may differ from what a container says where that is a time, or where a few bytes are
#: unexplained, s: a packet or two.
TOLERANCE_S = 0.25


class AudioFileError(ValueError):
    """An audio file that can't be read; the message names it and says why."""


class AudioFileWarning(UserWarning):
    """An audio file that is read, but of which the embedding may not be what is expected; the message says why."""


class Source(Protocol):
    """An open audio file, read once from wherever :meth:`skip_to` went to its end.

    Attributes:
        path: the file, as it was given.
        container: the file's format, in its decoder's words.
        codec: how its samples are stored, in its decoder's words.
        sample_rate: Hz.
        channels: how many.
        frames: samples a channel that the header promises; None where only decoding tells.
        header_seconds: the length that the header promises, s, or an estimate; None if it says nothing.
    """

    path: str
    container: str
    codec: str
    sample_rate: int
    channels: int
    frames: int | None
    header_seconds: float | None

    @property
    def position(self) -> int:
        """Samples a channel from the file's first to where decoding is."""

    def skip_to(self, frame: int) -> None:
        """Go on at a sample, counted from the file's first; at the end where the file ends before.

        Raises:
            AudioFileError: if what has to be decoded on the way can't be.
        """

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The rest of the file: ``(n_samples, channels)`` each, integers scaled to [-1, 1], n at least 1.

        Raises:
            AudioFileError: where the file is damaged or ends too early.
        """

    def close(self) -> None:
        """Let go of the file."""


def skipped(pieces: Iterator[NDArray[np.float32]], n_samples: int) -> Iterator[NDArray[np.float32]]:
    """Pieces without their first samples: for what can only be read from its beginning.

    Example:
        >>> pieces = iter([np.zeros((3, 1), np.float32), np.ones((4, 1), np.float32)])
        >>> [piece.shape for piece in skipped(pieces, 5)]
        [(2, 1)]
    """
    for piece in pieces:
        if n_samples < len(piece):
            yield piece[n_samples:]
        n_samples = max(0, n_samples - len(piece))


def piece_frames(channels: int) -> int:
    """Samples a channel to decode at a time: pieces of the same size whatever the number of channels."""
    return max(256, 131072 // max(2, channels))
