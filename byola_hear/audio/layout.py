"""Where a container's header says that its samples are, and how to correct that: the chunked and the plain formats.

Sources: the specifications of RIFF/WAVE, RF64 (EBU Tech 3306), Sony Wave64, AIFF and AIFF-C, IFF 8SVX, Core Audio
Format and Sun AU, and the header of NIST SPHERE.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from byola_hear.audio.spliced import Part, overwritten
from byola_hear.audio.tails import is_chunk_name

#: Chunks before the samples after which a header is taken for broken.
_MOST_CHUNKS = 10_000
#: What 32-bit sizes mean "not known" by, and how far from that programs get by subtracting or rounding down.
_UNKNOWN_32, _UNKNOWN_MARGIN = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF), 256
#: Where 64-bit sizes begin to mean it.
_UNKNOWN_64 = (1 << 63) - 0x10000
_WAVE64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_WAVE64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
#: Bytes to a sample of AIFF-C's codecs that have whole ones.
_AIFC_WIDTHS = {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1}
_AIFC_PCM = (b"NONE", b"twos", b"sowt", b"in24", b"in32", b"42ni", b"23ni", b"raw ")


@dataclass(frozen=True)
class Layout:
    """Where samples are, as a header says it.

    Attributes:
        form: the container.
        start: the first byte of the samples.
        stated: bytes of samples; None where the header says that it does not know.
        outer_end: the byte at which the chunk around all others ends, the file's end if that is not known; None where
            there is no such chunk.
        byte_rate: bytes to a second, 0 if not known.
        is_mpeg: whether the samples are an MPEG audio stream.
        view: the parts of the file with a header that says so many bytes.
        chunk_end: where the chunk at a byte ends, None if there is no chunk; None for formats without chunks.
        shown: bytes of samples that libsndfile sees without a view; None where a view is always needed.
    """

    form: str
    start: int
    stated: int | None
    outer_end: int | None
    byte_rate: float
    view: Callable[[int], tuple[Part, ...]]
    chunk_end: Callable[[BinaryIO, int, int], int | None] | None
    shown: int | None
    is_mpeg: bool = False


def layout_of(file: BinaryIO, size: int) -> Layout | None:
    """Read a header.

    Args:
        file: the file.
        size: its length in bytes.

    Returns:
        What it says; None if it is of another format or not understood.
    """
    file.seek(0)
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _riff(file, size, head)
    if head == _WAVE64_RIFF:
        return _wave64(file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV"):
        return _iff(file, size, head)
    if head[:4] == b"caff":
        return _caf(file, size)
    if head[:4] in (b".snd", b"dns."):
        return _au(file, size, head)
    return _nist(file, size) if head[:8] == b"NIST_1A\n" else None


def _known(size: int) -> int | None:
    """A size of 32 bits, None if it means "not known"; 0 does where something follows, see the caller of this."""
    if size == 0 or any(abs(size - unknown) <= _UNKNOWN_MARGIN for unknown in _UNKNOWN_32):
        return None
    return size


def _known_64(size: int) -> int | None:
    return _known(size) if size < _UNKNOWN_64 else None


def _riff(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    order = ">" if head[:4] == b"RIFX" else "<"
    word = struct.Struct(order + "I")
    is_wide = head[:4] in (b"RF64", b"BW64")
    outer, byte_rate, wide_size_at, data_64, tag = word.unpack(head[4:8])[0], 0, None, None, 0
    place, was_odd = 12, False
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        if not is_chunk_name(chunk[:4]):
            if not was_odd:
                return None
            # Some programs leave out the byte that makes a chunk's length even.
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
        stated = shown = _known_64(data_64)
    else:
        stated, shown = _known(n_bytes), n_bytes

    def view(wanted: int) -> tuple[Part, ...]:
        if is_wide and wide_size_at is not None:
            patches = {0: b"RF64", wide_size_at: struct.pack("<Q", wanted), size_at: b"\xff" * 4}
            return overwritten(patches, size)
        if wanted < 0xFFFFFFFF:
            return overwritten({0: b"RIFF" if order == "<" else b"RIFX", size_at: word.pack(wanted)}, size)
        # The size needs more than 32 bits, which another kind of head has.
        sizes = struct.pack("<4sI4s4sI3QI", b"RF64", 0xFFFFFFFF, b"WAVE", b"ds64", 28, size + 28, wanted, 0, 0)
        return sizes, (12, size_at), b"\xff" * 4, (start, size)

    return Layout(
        "RF64" if is_wide else "WAV",
        start,
        stated,
        size if _known_64(outer) is None else outer + 8,
        byte_rate,
        view,
        lambda file, place, end: _riff_chunk_end(file, place, end, word),
        None if head[:4] == b"BW64" else shown,
        tag in (0x50, 0x55),
    )


def _riff_chunk_end(file: BinaryIO, place: int, end: int, word: struct.Struct) -> int | None:
    file.seek(place)
    chunk = file.read(8)
    if len(chunk) < 8 or not is_chunk_name(chunk[:4]):
        return None
    after = place + 8 + int(word.unpack(chunk[4:])[0])
    # The last one may lack the byte that makes its length even.
    return after + (after - place & 1) if after <= end else None


def _wave64(file: BinaryIO, size: int) -> Layout | None:
    file.seek(16)
    outer, place, byte_rate = int.from_bytes(file.read(8), "little"), 40, 0
    for _ in range(_MOST_CHUNKS):
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
    stated = _known_64(max(0, n_bytes - 24))

    def view(wanted: int) -> tuple[Part, ...]:
        return overwritten({size_at: struct.pack("<Q", wanted + 24)}, start + wanted)

    # libsndfile takes all that follows for samples.
    outer_end = size if _known_64(outer) is None else outer
    return Layout("W64", start, stated, outer_end, byte_rate, view, _wave64_chunk_end, size - start)


def _wave64_chunk_end(file: BinaryIO, place: int, end: int) -> int | None:
    place += -place % 8
    file.seek(place)
    chunk = file.read(24)
    if len(chunk) < 24 or chunk[4:16] != _WAVE64:
        return None
    (n_bytes,) = struct.unpack_from("<Q", chunk, 16)
    return place + n_bytes if 24 <= n_bytes <= end - place else None


def _iff(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    word = struct.Struct(">I")
    is_aiff = head[8:11] == b"AIF"
    (outer,) = word.unpack(head[4:8])
    place, byte_rate, found = 12, 0.0, None
    for _ in range(_MOST_CHUNKS):
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
            # In AIFF an offset and the size of blocks come first.
            around = 8 + int(word.unpack(chunk[8:12])[0]) if is_aiff and len(chunk) >= 12 else 0
            found = place + 4, n_bytes, around if place + 8 + around <= size else 8
        if found and byte_rate:
            break
        place += 8 + n_bytes + (n_bytes & 1)
    if found is None:
        return None
    size_at, n_bytes, around = found
    start = size_at + 4 + around
    stated = _known(n_bytes)
    stated = None if stated is None or stated <= around else stated - around

    def view(wanted: int) -> tuple[Part, ...]:
        known = word.pack(min(wanted + around, 0xFFFFFFFF))
        return overwritten({size_at: known}, size if is_aiff else start + wanted)

    return Layout(
        "AIFF" if is_aiff else "SVX",
        start,
        stated,
        size if _known(outer) is None else outer + 8,
        byte_rate,
        view,
        lambda file, place, end: _riff_chunk_end(file, place, end, word),
        # Of 8SVX libsndfile takes all that follows for samples.
        stated if is_aiff else size - start,
    )


def _aiff_byte_rate(common: bytes) -> float:
    """Bytes to a second, by AIFF's COMM chunk; 0 if its codec has no whole bytes to a sample."""
    channels, _, bits, exponent, mantissa = struct.unpack_from(">hIhHQ", common)
    codec = common[18:22] if len(common) >= 22 else b"NONE"
    width = -(-bits // 8) if codec in _AIFC_PCM else _AIFC_WIDTHS.get(codec, 0)
    # The rate has ten bytes of extended floating point.
    return float(mantissa * 2.0 ** min((exponent & 0x7FFF) - 16446, 0) * width * channels)


def _caf(file: BinaryIO, size: int) -> Layout | None:
    place, byte_rate = 8, 0.0
    for _ in range(_MOST_CHUNKS):
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
    stated = None if n_bytes < 4 else _known_64(n_bytes - 4)

    def view(wanted: int) -> tuple[Part, ...]:
        return overwritten({size_at: struct.pack(">q", wanted + 4)}, size)

    # libsndfile reads a file that is shorter than its header says from another place on, or not at all.
    shown = stated if stated is not None and start + stated <= size else None
    return Layout("CAF", start, stated, None, byte_rate, view, _caf_chunk_end, shown)


def _caf_chunk_end(file: BinaryIO, place: int, end: int) -> int | None:
    file.seek(place)
    chunk = file.read(12)
    if len(chunk) < 12 or not is_chunk_name(chunk[:4]):
        return None
    (n_bytes,) = struct.unpack_from(">q", chunk, 4)
    return place + 12 + n_bytes if 0 <= n_bytes <= end - place - 12 else None


def _au(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    order = ">" if head[:4] == b".snd" else "<"
    file.seek(4)
    numbers = file.read(20)
    if len(numbers) < 20:
        return None
    start, n_bytes, encoding, rate, channels = struct.unpack(order + "5I", numbers)
    if not 24 <= start <= size:
        return None
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0)

    def view(wanted: int) -> tuple[Part, ...]:
        known = struct.pack(order + "I", min(wanted, 0xFFFFFFFF))
        return overwritten({8: known}, start + wanted)

    # libsndfile takes all that follows for samples of some codecs, and large sizes for negative ones.
    shown = size - start if not width or n_bytes == 0xFFFFFFFF else n_bytes if start + n_bytes < 1 << 31 else None
    return Layout("AU", start, _known(n_bytes), None, float(rate * channels * width), view, None, shown)


def _nist(file: BinaryIO, size: int) -> Layout | None:
    file.seek(8)
    start_text = file.read(8).strip()
    if not start_text.isdigit() or not 16 <= int(start_text) <= min(size, 1 << 16):
        return None
    start = int(start_text)
    file.seek(0)
    text = file.read(start).decode("latin-1")
    numbers = {name: int(value) for name, value in re.findall(r"^(\w+) -i (\d+)", text, re.MULTILINE)}
    coding = re.search(r"^sample_coding -s\d+ (\S+)", text, re.MULTILINE)
    if (coding and coding[1] not in ("pcm", "ulaw", "alaw", "mu-law")) or "sample_count" not in numbers:
        return None
    width = numbers.get("sample_n_bytes", 1 if coding and coding[1] != "pcm" else 2) * numbers.get("channel_count", 1)

    # The header need not be changed: libsndfile takes all that follows for samples.
    return Layout(
        "NIST",
        start,
        _known(numbers["sample_count"] * width),
        None,
        float(numbers.get("sample_rate", 0) * width),
        lambda wanted: ((0, start + wanted),),
        None,
        size - start,
    )
