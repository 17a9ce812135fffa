"""The streams of an Ogg file, from the headers of its pages; sources: RFC 3533, and RFC 7845 for Opus."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO, NamedTuple

#: Magic, version, flags, position, serial number, page number, checksum, number of segments.
_HEAD = struct.Struct("<4sBBqIIIB")
_BEGINS = 2
#: Sizes of the longest header and of the longest page, bytes.
_LONGEST_HEAD, _LONGEST_PAGE = _HEAD.size + 255, 65307
#: A packet ends with a segment that is smaller than this, bytes.
_LARGEST_SEGMENT = 255
#: Packets before the audio of a Vorbis stream.
_VORBIS_HEADERS = 3
#: From this rate on, decoding Opus loses nothing that the networks use, Hz.
_ENOUGH_HZ = 16000
#: In larger files, only the first pages and the last one are examined, bytes.
_WALKED = 1 << 26


class Page(NamedTuple):
    """A page.

    Attributes:
        at: first byte.
        size: size including the header, bytes.
        head_size: size of the header, bytes.
        serial: number of its stream.
        begins: whether the stream begins with this page.
        position: position of its end in the stream, in samples for audio; -1 if it has none.
    """

    at: int
    size: int
    head_size: int
    serial: int
    begins: bool
    position: int


class Link(NamedTuple):
    """One link of a chain: streams that begin together, one of them audio.

    Attributes:
        first: first page.
        end: end of the last page, in bytes.
        seconds: length according to the last page, s; None if the codec is not known.
    """

    first: Page
    end: int
    seconds: float | None


def links(file: BinaryIO, end: int) -> list[Link]:
    """Find the links of a chain.

    Args:
        file: the file.
        end: its size in bytes.

    Returns:
        The links; one for a usual file, none if the file does not begin with a page.
    """
    found: list[Link] = []
    first: Page | None = None
    serials: set[int] = set()
    last_position, beginning = 0, True
    for page in _pages(file, 0, end):
        if first is None and page.at:
            break
        if first is None or (page.begins and not beginning):
            if first is not None:
                found.append(Link(first, page.at, _seconds(file, first, last_position)))
            first, last_position, serials = page, 0, set()
        serials.add(page.serial)
        if page.serial == first.serial:
            last_position = max(last_position, page.position)
        # Of a large file, only the last page is examined, unless it belongs to another link.
        if beginning and not page.begins and not found and end > _WALKED and _last_serial(file, end) in serials:
            return [Link(first, end, None)]
        beginning = page.begins
    return found if first is None else [*found, Link(first, end, _seconds(file, first, last_position))]


def _seconds(file: BinaryIO, first: Page, position: int) -> float | None:
    """A position as a time, by the header of its stream."""
    file.seek(first.at + first.head_size)
    head = file.read(64)
    if head[:7] == b"\x01vorbis":
        rate, skipped = int.from_bytes(head[12:16], "little"), 0
    elif head[:8] == b"OpusHead":
        rate, skipped = 48000, int.from_bytes(head[10:12], "little")
    elif head[:8] == b"Speex   ":
        rate, skipped = int.from_bytes(head[36:40], "little"), 0
    elif head[:5] == b"\x7fFLAC":
        rate, skipped = int.from_bytes(head[27:30], "big") >> 4, 0
    else:
        return None
    return max(0, position - skipped) / rate if rate else None


def opus_at_48_khz(file: BinaryIO, page: Page) -> bytes | None:
    """The first page of an Opus stream, changed to an input rate of 48 kHz; None if no change is needed.

    The input rate is only informative, may be 0, and is wrong in many files. libsndfile nevertheless decodes at this
    rate (at 8 kHz if it is 0) and loses the frequencies above half of it. At 16 kHz or more, these are none that the
    networks use, and decoding takes half as long as at 48 kHz.
    """
    file.seek(page.at)
    data = bytearray(file.read(page.size))
    rate_at = page.head_size + 12
    if data[page.head_size : page.head_size + 8] != b"OpusHead" or len(data) < rate_at + 4:
        return None
    if struct.unpack_from("<I", data, rate_at)[0] >= _ENOUGH_HZ:
        return None
    struct.pack_into("<I", data, rate_at, 48000)
    struct.pack_into("<I", data, 22, 0)
    struct.pack_into("<I", data, 22, _check_sum(data))
    return bytes(data)


def has_audio_among_headers(file: BinaryIO, link: Link) -> bool:
    """Whether the audio of a Vorbis stream begins on a page of its headers, the rest of which libsndfile skips.

    The specification wants a new page there, but not all programs began one.
    """
    file.seek(link.first.at + link.first.head_size)
    n_ended = 0 if file.read(7) == b"\x01vorbis" else _VORBIS_HEADERS
    for page in _pages(file, link.first.at, link.end):
        if n_ended >= _VORBIS_HEADERS:
            break
        if page.serial == link.first.serial:
            file.seek(page.at + _HEAD.size)
            sizes = file.read(page.head_size - _HEAD.size)
            n_ended += sum(size < _LARGEST_SEGMENT for size in sizes)
            if n_ended == _VORBIS_HEADERS and sizes[-1] == _LARGEST_SEGMENT:
                return True
    return n_ended > _VORBIS_HEADERS


def _pages(file: BinaryIO, place: int, end: int) -> Iterator[Page]:
    """All pages. Anything between them is skipped."""
    while True:
        file.seek(place)
        data = file.read(_LONGEST_HEAD)
        if len(data) < _HEAD.size or place >= end:
            return
        magic, version, flags, position, serial, _, _, n_segments = _HEAD.unpack_from(data)
        if magic == b"OggS" and version == 0:
            head_size = _HEAD.size + n_segments
            size = head_size + sum(data[_HEAD.size : head_size])
            yield Page(place, size, head_size, serial, bool(flags & _BEGINS), position)
            place += size
            continue
        file.seek(place + 1)
        found = file.read(_LONGEST_PAGE).find(b"OggS")
        place += 1 + found if found >= 0 else _LONGEST_PAGE - 3


def _last_serial(file: BinaryIO, end: int) -> int | None:
    place = max(0, end - 2 * _LONGEST_PAGE)
    file.seek(place)
    data = file.read(end - place)
    at = data.rfind(b"OggS", 0, max(0, len(data) - _HEAD.size + 4))
    return None if at < 0 else int(_HEAD.unpack_from(data, at)[4])


@cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
        table.append(crc)
    return tuple(table)


def _check_sum(page: bytes | bytearray) -> int:
    table, crc = _table(), 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return crc
