"""The blocks of a Creative Voice file (VOC): libsndfile reads those of one block of sound rightly, no others."""

from __future__ import annotations

from typing import BinaryIO

#: Blocks that are sound: samples, more of them, silence, samples with another head.
_SOUND = (1, 2, 3, 9)


def sound_blocks(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Go through the blocks.

    Args:
        file: the file.
        size: its length in bytes.

    Returns:
        How many are sound, and where the last one ends, which may be beyond the file; None for another kind of file.
    """
    file.seek(0)
    head = file.read(22)
    if head[:20] != b"Creative Voice File\x1a" or len(head) < 22:
        return None
    place, n_sound = int.from_bytes(head[20:22], "little"), 0
    while place < size:
        file.seek(place)
        block = file.read(4)
        if not block or block[0] == 0 or len(block) < 4:
            break
        n_sound += block[0] in _SOUND
        place += 4 + int.from_bytes(block[1:], "little")
    return n_sound, place
