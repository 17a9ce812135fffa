"""Events of an extraction: rows of embeddings, and whether each clip succeeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.extraction.clips import Clip
from byola_hear.utils.files import Stamp


@dataclass(frozen=True)
class Rows:
    """Some of a clip's rows, in order. Times count from the file's beginning.

    Attributes:
        clip: the clip.
        start: ``(k,)`` float64, where the pooled sound begins, s.
        end: ``(k,)`` float64, where the pooled sound ends, s. Start and end of a clip's first and last row are those of
            the clip, unless the file ends earlier.
        time: ``(k,)`` float64, the timestamp, which is its window's centre, s; None for scenes.
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
    """A clip is complete: all its rows were yielded.

    Attributes:
        clip: the clip.
        seconds: length of its audio, s.
        stamp: its file's stamp from before it was read; None for a waveform.
    """

    clip: Clip
    seconds: float
    stamp: Stamp


@dataclass(frozen=True)
class Failed:
    """A clip could not be embedded; rows of it that were yielded before are invalid.

    Attributes:
        clip: the clip.
        reason: what was wrong, one line.
    """

    clip: Clip
    reason: str


#: An extraction yields these. The rows of a clip come first, then its success or failure.
Event = Rows | Done | Failed
