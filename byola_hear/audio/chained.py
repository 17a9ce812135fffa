"""Several audio streams in one file, one after the other, as in recordings of web radio. Ogg calls this a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.source import Source


class ChainedSource:
    """Sources that are read one after the other; see :class:`~byola_hear.audio.source.Source`.

    Args:
        sources: at least one open source; all have the same rate, number of channels and a known length.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        first = sources[0]
        self._sources = sources
        self.path, self.container, self.codec = first.path, first.container, first.codec
        self.sample_rate, self.channels = first.sample_rate, first.channels
        self.frames: int | None = sum(source.frames or 0 for source in sources)
        self.header_seconds: float | None = self.frames / self.sample_rate
        self._next = 0

    @property
    def position(self) -> int:
        """Samples per channel that were read or skipped, counted from the beginning of the first source."""
        return sum(source.frames or 0 for source in self._sources[: self._next]) + self._sources[self._next].position

    def skip_to(self, frame: int) -> None:
        """Continue at a sample, counted from the beginning of the first source."""
        while self._next + 1 < len(self._sources) and frame >= (self._sources[self._next].frames or 0):
            frame -= self._sources[self._next].frames or 0
            self._next += 1
        self._sources[self._next].skip_to(frame)

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The remaining samples, ``(n_samples, channels)`` each."""
        while True:
            yield from self._sources[self._next].pieces()
            if self._next + 1 == len(self._sources):
                return
            self._next += 1

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources:
            source.close()


def opened_in_turn(opens: Sequence[Callable[[], Source]]) -> list[Source]:
    """Open all sources; if one fails, close the others."""
    sources: list[Source] = []
    try:
        for each in opens:
            sources.append(each())
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources
