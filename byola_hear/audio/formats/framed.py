"""Streams that consist of frames only, and that only ffmpeg decodes: AAC (ADTS), AC-3, E-AC-3."""

from __future__ import annotations

from typing import BinaryIO

#: kbit/s of AC-3 by five bits of a frame's header.
_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
#: The highest version of AC-3; that of E-AC-3 is higher.
_AC3_VERSION = 10


def frames_end(file: BinaryIO, size: int) -> tuple[int, bool] | None:
    """Walk through the frames of a file.

    Args:
        file: the file.
        size: its size in bytes.

    Returns:
        The end of the last complete frame, in bytes, and whether a part of another frame follows; None if the file
        does not begin with a frame.
    """
    place = length = 0
    while place < size:
        file.seek(place)
        length = _frame_length(file.read(8))
        if not length or place + length > size:
            break
        place += length
    return (place, bool(length)) if place else None


def _frame_length(head: bytes) -> int:
    """The size of a frame in bytes, 0 if there is none."""
    if len(head) < 8:
        return 0
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return length if length > 7 else 0
    if head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > _AC3_VERSION:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    frequency, code = head[4] >> 6, head[4] & 0x3F
    if frequency == 3 or code >> 1 >= len(_AC3_RATES):
        return 0
    rate = _AC3_RATES[code >> 1]
    return 2 * (2 * rate, rate * 320 // 147 + (code & 1), 3 * rate)[frequency]
