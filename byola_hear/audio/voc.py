"""The blocks of a Creative Voice file (VOC): libsndfile reads those of one block of sound rightly, no others."""

from __future__ import annotations

from typing import BinaryIO

#: Blocks that are sound: samples, more of them, silence, samples with another head.
_SOUND = (1, 2, 3, 9)


def sound_blocks(file: BinaryIO, size: int) -> tuple[int, int]:
    """Go through the blocks.

    Args:
        file: the file.
        size: its length in bytes.

    Returns:
        How many are sound, and where the last one ends, with the byte that says so; that may be beyond the file.
    """
    file.seek(20)
    place, n_sound = int.from_bytes(file.read(2), "little"), 0
    while place < size:
        file.seek(place)
        block = file.read(4)
        if block[0] == 0:
            return n_sound, place + 1
        if len(block) < 4:
            break
        n_sound += block[0] in _SOUND
        place += 4 + int.from_bytes(block[1:], "little")
    return n_sound, place
