"""WAV, RF64 and BW64 files: RIFF chunks, with sizes of 32 or 64 bits; sources: Microsoft's RIFF, EBU Tech 3306."""

from __future__ import annotations

import struct
from typing import BinaryIO

from byola_hear.audio.formats.layout import MOST_CHUNKS, Layout, known_size, known_size_64
from byola_hear.audio.formats.tails import is_chunk_name
from byola_hear.audio.spliced import Part, overwritten

#: Tags of codecs: MP2 and MP3, and GSM 6.10 with the bytes and samples of its blocks.
_MPEG_TAGS = (0x50, 0x55)
_GSM_TAG, _GSM_BLOCK = 0x31, (65, 320)


def riff_layout(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    """Find the audio of a WAV, RF64 or BW64 file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.
        head: first bytes of the file.

    Returns:
        The layout, or None if the header can't be followed.
    """
    order = ">" if head[:4] == b"RIFX" else "<"
    word = struct.Struct(order + "I")
    is_wide = head[:4] in (b"RF64", b"BW64")
    outer, byte_rate, wide_size_at, data_64, tag = word.unpack(head[4:8])[0], 0, None, None, 0
    place, was_odd = 12, False
    for _ in range(MOST_CHUNKS):
        if place >= size:
            return None
        file.seek(place)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        if not is_chunk_name(chunk[:4]):
            if not was_odd:
                return None
            # Some programs leave out the byte that pads a chunk to an even size.
            place, was_odd = place - 1, False
            continue
        (n_bytes,) = word.unpack(chunk[4:])
        if chunk[:4] == b"data":
            break
        body = file.read(min(n_bytes, 24))
        if chunk[:4] == b"ds64" and len(body) >= 16:
            outer, data_64 = struct.unpack_from("<QQ", body)
            wide_size_at = place + 16
        elif chunk[:4] == b"fmt " and len(body) >= 16:
            tag, channels, rate, byte_rate, _, bits = struct.unpack_from(order + "HHIIHH", body)
            if tag in (1, 3):
                byte_rate = rate * channels * -(-bits // 8)
        place, was_odd = place + 8 + n_bytes + (n_bytes & 1), bool(n_bytes & 1)
    else:
        return None
    start, size_at = place + 8, place + 4
    if is_wide and n_bytes == 0xFFFFFFFF and data_64 is not None:
        stated = shown = known_size_64(data_64)
    else:
        stated, shown = known_size(n_bytes), n_bytes

    def view(wanted: int) -> tuple[Part, ...]:
        if is_wide and wide_size_at is not None:
            patches = {0: b"RF64", wide_size_at: struct.pack("<Q", wanted), size_at: b"\xff" * 4}
            return overwritten(patches, size)
        if wanted < 0xFFFFFFFF:
            return overwritten({0: b"RIFF" if order == "<" else b"RIFX", size_at: word.pack(wanted)}, size)
        # The size needs more than 32 bits, so the view begins with a header of RF64.
        sizes = struct.pack("<4sI4s4sI3QI", b"RF64", 0xFFFFFFFF, b"WAVE", b"ds64", 28, size + 28, wanted, 0, 0)
        return sizes, (12, size_at), b"\xff" * 4, (start, size)

    return Layout(
        "RF64" if is_wide else "WAV",
        start,
        stated,
        size if known_size_64(outer) is None else outer + 8,
        byte_rate,
        view,
        lambda file, place, end: riff_chunk_end(file, place, end, word),
        None if head[:4] == b"BW64" else shown,
        tag in _MPEG_TAGS,
        # libsndfile takes the byte that pads an odd number of these blocks for one more block, of noise.
        _GSM_BLOCK if tag == _GSM_TAG else None,
    )


def riff_chunk_end(file: BinaryIO, place: int, end: int, word: struct.Struct) -> int | None:
    """Find where the chunk at ``place`` ends, in bytes; None if there is no chunk, or it reaches beyond ``end``."""
    file.seek(place)
    chunk = file.read(8)
    if len(chunk) < 8 or not is_chunk_name(chunk[:4]):
        return None
    after = place + 8 + int(word.unpack(chunk[4:])[0])
    # The last chunk may lack its padding byte.
    return after + (after - place & 1) if after <= end else None
