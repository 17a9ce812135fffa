"""The interface of all decoders: the channels of a file at its own rate, from any sample on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: Tolerance between the length that is read and the length that a container states as a time, s: a packet or two.
TOLERANCE_S = 0.25


class AudioFileError(ValueError):
    """An audio file can't be read; the message names it and says why."""


class AudioFileWarning(UserWarning):
    """An audio file is read, but its embedding may not be what you expect; the message says why."""


class Source(Protocol):
    """An open audio file. It is read once, from the sample that :meth:`skip_to` went to, to its end.

    Attributes:
        path: the file, as given.
        container: the decoder's name of the container.
        codec: the decoder's name of the codec.
        sample_rate: Hz.
        channels: number of channels.
        frames: samples per channel; None if that is known only after decoding.
        header_seconds: the length that the header states, s; it may be an estimate or wrong. None if it states none.
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
        """Samples per channel that were read or skipped."""

    def skip_to(self, frame: int) -> None:
        """Continue at a sample, counted from the beginning of the file; at the end, if the file ends earlier.

        Raises:
            AudioFileError: if samples before it have to be decoded and can't be.
        """

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The remaining samples: ``(n_samples, channels)`` each, at least one, integers scaled to [-1, 1].

        Raises:
            AudioFileError: if the file is damaged or ends too early.
        """

    def close(self) -> None:
        """Close the file."""


def skipped(pieces: Iterator[NDArray[np.float32]], n_samples: int) -> Iterator[NDArray[np.float32]]:
    """Drop the first samples of pieces, for formats without an exact seek.

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
    """Samples per channel to decode at a time: pieces have the same size for any number of channels."""
    return max(256, 131072 // max(2, channels))
