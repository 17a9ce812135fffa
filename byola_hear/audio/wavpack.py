"""Where a WavPack file's blocks end, and how many samples they hold; source: the format's description, version 5."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

#: Magic, length of the rest, version, high bytes of the next two, samples in all, first sample, samples here, flags.
_HEAD = struct.Struct("<4sIHBBIIII")
_RATES = (6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 192000)
_UNKNOWN = 0xFFFFFFFF


class Blocks(NamedTuple):
    """What the blocks' heads say.

    Attributes:
        end: the byte after the last whole block.
        n_samples: samples a channel in them.
        n_promised: samples a channel that the first one promises; None where it does not know.
        sample_rate: Hz, 0 if it is an unusual one.
    """

    end: int
    n_samples: int
    n_promised: int | None
    sample_rate: int


def blocks(file: BinaryIO, end: int) -> Blocks | None:
    """Look at the heads of all blocks; None if the first is none, or is cut."""
    place, n_samples, promised, rate = 0, 0, None, 0
    while end - place >= _HEAD.size:
        file.seek(place)
        magic, size, _, _, high, total, first, n_here, flags = _HEAD.unpack(file.read(_HEAD.size))
        if magic != b"wvpk" or size < 24 or place + 8 + size > end:
            break
        if not place:
            promised = None if total == _UNKNOWN else total + (high << 32) - high
            rate = _RATES[flags >> 23 & 15] if flags >> 23 & 15 < len(_RATES) else 0
        n_samples = max(n_samples, first + n_here)
        place += 8 + size
    return Blocks(place, n_samples, promised, rate) if place else None
