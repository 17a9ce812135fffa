"""Where samples lie in a file, in the words of its header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from byola_hear.audio.spliced import Part

#: Chunks before the samples after which a header counts as broken.
MOST_CHUNKS = 10_000
#: Sizes of 32 bits that mean "not known", and how far from them programs end up by subtracting or rounding down.
_UNKNOWN_32, _UNKNOWN_MARGIN = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF), 256
#: Sizes of 64 bits from here on mean the same.
_UNKNOWN_64 = (1 << 63) - 0x10000


@dataclass(frozen=True)
class Layout:
    """Where samples lie in a file.

    Attributes:
        form: name of the container.
        start: first byte of the samples.
        stated: size of the samples in bytes; None if the header leaves it open.
        outer_end: end of the chunk that encloses all others, in bytes; the end of the file if the header leaves it
            open, None if the container has no such chunk.
        byte_rate: bytes per second, 0 if not known.
        view: returns the parts of the file behind a header that states a given size.
        chunk_end: returns the end of the chunk at a byte of the file, None if there is no chunk; None for containers
            without chunks.
        shown: size of the samples as libsndfile reads the header; None if libsndfile needs another header.
        is_mpeg: whether the samples are an MPEG audio stream.
        block: size in bytes and length in samples of the codec's blocks, if only whole ones are to be read.
    """

    form: str
    start: int
    stated: int | None
    outer_end: int | None
    byte_rate: float
    view: Callable[[int], tuple[Part, ...]]
    chunk_end: Callable[[BinaryIO, int, int], int | None] | None
    shown: int | None
    is_mpeg: bool = False
    block: tuple[int, int] | None = None


def known_size(size: int) -> int | None:
    """A size of 32 bits; None if it means "not known".

    Example:
        >>> known_size(96000), known_size(0xFFFFFFFF), known_size(0)
        (96000, None, None)
    """
    if size == 0 or any(abs(size - unknown) <= _UNKNOWN_MARGIN for unknown in _UNKNOWN_32):
        return None
    return size


def known_size_64(size: int) -> int | None:
    """A size of 64 bits; None if it means "not known"."""
    return known_size(size) if size < _UNKNOWN_64 else None
