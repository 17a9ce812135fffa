"""Core Audio Format files (CAF): chunks with big-endian sizes of 64 bits, -1 for not known."""

from __future__ import annotations

import struct
from typing import BinaryIO

from byola_hear.audio.formats.layout import MOST_CHUNKS, Layout, known_size_64
from byola_hear.audio.formats.tails import is_chunk_name
from byola_hear.audio.spliced import Part, overwritten


def caf_layout(file: BinaryIO, size: int) -> Layout | None:
    """Find the audio of a CAF file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.

    Returns:
        The layout, or None if the header can't be followed.
    """
    place, byte_rate = 8, 0.0
    for _ in range(MOST_CHUNKS):
        if place >= size:
            return None
        file.seek(place)
        chunk = file.read(44)
        if len(chunk) < 12 or not is_chunk_name(chunk[:4]):
            return None
        (n_bytes,) = struct.unpack_from(">q", chunk, 4)
        if chunk[:4] == b"data":
            break
        if chunk[:4] == b"desc" and len(chunk) == 44:
            rate, _, _, packet_bytes, packet_frames = struct.unpack_from(">d4s3I", chunk, 12)
            byte_rate = rate * packet_bytes / packet_frames if packet_frames else 0.0
        if n_bytes < 0:
            return None
        place += 12 + n_bytes
    else:
        return None
    # The samples follow the number of the edit.
    start, size_at = place + 16, place + 4
    stated = None if n_bytes < 4 else known_size_64(n_bytes - 4)

    def view(wanted: int) -> tuple[Part, ...]:
        return overwritten({size_at: struct.pack(">q", wanted + 4)}, size)

    # If the file is shorter than its header states, libsndfile begins at the wrong byte or refuses the file.
    shown = stated if stated is not None and start + stated <= size else None
    return Layout("CAF", start, stated, None, byte_rate, view, _caf_chunk_end, shown)


def _caf_chunk_end(file: BinaryIO, place: int, end: int) -> int | None:
    file.seek(place)
    chunk = file.read(12)
    if len(chunk) < 12 or not is_chunk_name(chunk[:4]):
        return None
    (n_bytes,) = struct.unpack_from(">q", chunk, 4)
    return place + 12 + n_bytes if 0 <= n_bytes <= end - place - 12 else None
