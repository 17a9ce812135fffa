"""The blocks of a WavPack file; source: the description of the format, version 5."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

#: Magic, size of the rest, version, high bytes of first sample and samples in all, both, samples here, flags.
_HEAD = struct.Struct("<4sIHBBIIII")
_RATES = (6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 192000)
_UNKNOWN = 0xFFFFFFFF


class Blocks(NamedTuple):
    """The headers of the blocks.

    Attributes:
        end: end of the last complete block, in bytes.
        n_samples: samples per channel in all blocks.
        n_promised: samples per channel that the first block states; None if it leaves them open.
        sample_rate: Hz; 0 if it is not in the header.
    """

    end: int
    n_samples: int
    n_promised: int | None
    sample_rate: int


def blocks(file: BinaryIO, end: int) -> Blocks | None:
    """Read the headers of all blocks; None if the file does not begin with a complete block."""
    place, n_samples, promised, rate = 0, 0, None, 0
    while end - place >= _HEAD.size:
        file.seek(place)
        magic, size, _, first_high, high, total, first, n_here, flags = _HEAD.unpack(file.read(_HEAD.size))
        if magic != b"wvpk" or size < 24 or place + 8 + size > end:
            break
        if not place:
            promised = None if total == _UNKNOWN else total + (high << 32) - high
            rate = _RATES[flags >> 23 & 15] if flags >> 23 & 15 < len(_RATES) else 0
        n_samples = max(n_samples, first + (first_high << 32) + n_here)
        place += 8 + size
    return Blocks(place, n_samples, promised, rate) if place else None
