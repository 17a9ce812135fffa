"""What travels from the network to a table: rows of embeddings, and what became of each clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.clips import Clip
from byola_hear.utils.files import Stamp


@dataclass(frozen=True)
class Rows:
    """Some of a clip's rows, in order.

    Attributes:
        clip: what they are of.
        start: ``(k,)`` float64, s from the file's beginning: where the sound that was pooled begins.
        end: ``(k,)`` float64, s: where it ends.
        time: ``(k,)`` float64, s from the file's beginning: the timestamp, its window's centre; None for scenes.
        embeddings: ``(k, size)`` float32.
    """

    clip: Clip
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    time: NDArray[np.float64] | None
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True)
class Done:
    """A clip is complete: all its rows have been given.

    Attributes:
        clip: which.
        seconds: of audio that it has.
        stamp: of its file before it was read; None for a waveform.
    """

    clip: Clip
    seconds: float
    stamp: Stamp


@dataclass(frozen=True)
class Failed:
    """A clip could not be embedded; rows of it that were given before do not count.

    Attributes:
        clip: which.
        reason: one line: what was wrong.
    """

    clip: Clip
    reason: str


#: An extraction yields these, clip by clip. The rows of a clip come first, then its end.
Event = Rows | Done | Failed
