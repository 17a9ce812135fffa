"""Sony Wave64 files (W64): chunks named by GUIDs, with sizes of 64 bits."""

from __future__ import annotations

import struct
from typing import BinaryIO

from byola_hear.audio.formats.layout import MOST_CHUNKS, Layout, known_size_64
from byola_hear.audio.spliced import Part, overwritten

#: The second part of the GUIDs of all chunks but the first.
_WAVE64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")
#: What a file begins with.
WAVE64_BEGINNING = bytes.fromhex("726966662e91cf11a5d628db04c10000")


def wave64_layout(file: BinaryIO, size: int) -> Layout | None:
    """Find the audio of a Wave64 file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.

    Returns:
        The layout, or None if the header can't be followed.
    """
    file.seek(16)
    outer, place, byte_rate = int.from_bytes(file.read(8), "little"), 40, 0
    for _ in range(MOST_CHUNKS):
        if place >= size:
            return None
        file.seek(place)
        chunk = file.read(48)
        if len(chunk) < 24 or chunk[4:16] != _WAVE64:
            return None
        (n_bytes,) = struct.unpack_from("<Q", chunk, 16)
        if chunk[:4] == b"data":
            break
        if chunk[:4] == b"fmt " and len(chunk) >= 40:
            (byte_rate,) = struct.unpack_from("<I", chunk, 32)
        if n_bytes < 24:
            return None
        place += n_bytes + -n_bytes % 8
    else:
        return None
    start, size_at = place + 24, place + 16
    stated = known_size_64(max(0, n_bytes - 24))

    def view(wanted: int) -> tuple[Part, ...]:
        return overwritten({size_at: struct.pack("<Q", wanted + 24)}, start + wanted)

    # libsndfile reads everything that follows as samples.
    outer_end = size if known_size_64(outer) is None else outer
    return Layout("W64", start, stated, outer_end, byte_rate, view, _wave64_chunk_end, size - start)


def _wave64_chunk_end(file: BinaryIO, place: int, end: int) -> int | None:
    place += -place % 8
    file.seek(place)
    chunk = file.read(24)
    if len(chunk) < 24 or chunk[4:16] != _WAVE64:
        return None
    (n_bytes,) = struct.unpack_from("<Q", chunk, 16)
    return place + n_bytes if 24 <= n_bytes <= end - place else None
