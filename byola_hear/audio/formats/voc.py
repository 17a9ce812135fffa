"""The blocks of a Creative Voice file (VOC). libsndfile reads only files of a single block correctly."""

from __future__ import annotations

from typing import BinaryIO

#: Types of blocks with sound: samples, more samples, silence, samples with a newer header.
_SOUND = (1, 2, 3, 9)


def sound_blocks(file: BinaryIO, size: int) -> tuple[int, int]:
    """Walk through the blocks of a file.

    Args:
        file: the file.
        size: its size in bytes.

    Returns:
        The number of blocks with sound, and the end of the last block in bytes, which is beyond the file if the file
        is truncated.
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
