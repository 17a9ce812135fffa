"""AIFF, AIFF-C and 8SVX files: IFF chunks, with big-endian sizes of 32 bits."""

from __future__ import annotations

import struct
from typing import BinaryIO

from byola_hear.audio.formats.layout import MOST_CHUNKS, Layout, known_size
from byola_hear.audio.formats.riff import riff_chunk_end
from byola_hear.audio.formats.tails import is_chunk_name
from byola_hear.audio.spliced import Part, overwritten

#: Bytes per sample of those codecs of AIFF-C that have whole ones.
_AIFC_WIDTHS = {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1}
_AIFC_PCM = (b"NONE", b"twos", b"sowt", b"in24", b"in32", b"42ni", b"23ni", b"raw ")


def iff_layout(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    """Find the audio of an AIFF or 8SVX file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.
        head: first bytes of the file.

    Returns:
        The layout, or None if the header can't be followed.
    """
    word = struct.Struct(">I")
    is_aiff = head[8:11] == b"AIF"
    (outer,) = word.unpack(head[4:8])
    place, byte_rate, found = 12, 0.0, None
    for _ in range(MOST_CHUNKS):
        if place >= size:
            break
        file.seek(place)
        chunk = file.read(30)
        if len(chunk) < 8 or not is_chunk_name(chunk[:4]):
            break
        (n_bytes,) = word.unpack(chunk[4:8])
        if chunk[:4] == b"COMM" and len(chunk) >= 26:
            byte_rate = _aiff_byte_rate(chunk[8:])
        elif chunk[:4] == b"VHDR" and len(chunk) >= 22:
            byte_rate = float(int.from_bytes(chunk[20:22], "big") * (1 if head[8:12] == b"8SVX" else 2))
        elif chunk[:4] == (b"SSND" if is_aiff else b"BODY"):
            # In AIFF, an offset and a block size precede the samples.
            around = 8 + int(word.unpack(chunk[8:12])[0]) if is_aiff and len(chunk) >= 12 else 0
            found = place + 4, n_bytes, around if place + 8 + around <= size else 8
        if found and byte_rate:
            break
        place += 8 + n_bytes + (n_bytes & 1)
    if found is None:
        return None
    size_at, n_bytes, around = found
    start = size_at + 4 + around
    stated = known_size(n_bytes)
    stated = None if stated is None or stated <= around else stated - around

    def view(wanted: int) -> tuple[Part, ...]:
        known = word.pack(min(wanted + around, 0xFFFFFFFF))
        return overwritten({size_at: known}, size if is_aiff else start + wanted)

    return Layout(
        "AIFF" if is_aiff else "SVX",
        start,
        stated,
        size if known_size(outer) is None else outer + 8,
        byte_rate,
        view,
        lambda file, place, end: riff_chunk_end(file, place, end, word),
        # In 8SVX, libsndfile reads everything that follows as samples.
        stated if is_aiff else size - start,
    )


def _aiff_byte_rate(common: bytes) -> float:
    """Bytes per second, from a COMM chunk; 0 if a sample is not a whole number of bytes."""
    channels, _, bits, exponent, mantissa = struct.unpack_from(">hIhHQ", common)
    codec = common[18:22] if len(common) >= 22 else b"NONE"
    width = -(-bits // 8) if codec in _AIFC_PCM else _AIFC_WIDTHS.get(codec, 0)
    # The rate is a floating-point number of 80 bits.
    return float(mantissa * 2.0 ** min((exponent & 0x7FFF) - 16446, 0) * width * channels)
