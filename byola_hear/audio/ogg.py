"""What an Ogg file consists of, by the heads of its pages; sources: RFC 3533, and RFC 7845 for Opus."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO, NamedTuple

#: Magic, version, flags, position, serial number, page number, check sum, number of segments.
_HEAD = struct.Struct("<4sBBqIIIB")
_BEGINS = 2
#: A head with the longest table of segments, and the longest page.
_LONGEST_HEAD, _LONGEST_PAGE = _HEAD.size + 255, 65307
#: A longer file's pages are not all looked at, only the first and the last.
_WALKED = 1 << 26


class Page(NamedTuple):
    """A page.

    Attributes:
        at: its first byte.
        size: its length, with the head.
        head_size: the head's length.
        serial: the stream that it belongs to.
        begins: whether that begins with it.
        position: of its end in the stream, in samples or what else the codec counts; -1 where it has none.
    """

    at: int
    size: int
    head_size: int
    serial: int
    begins: bool
    position: int


class Link(NamedTuple):
    """Streams that begin together, of which one is the sound.

    Attributes:
        first: the first page.
        end: the byte after the last page.
        seconds: the length by the last page, s; None where it is not known how the codec counts.
    """

    first: Page
    end: int
    seconds: float | None


def links(file: BinaryIO, end: int) -> list[Link]:
    """Look at the pages.

    Args:
        file: the file.
        end: its length in bytes.

    Returns:
        The links of the chain, one for a usual file, of which the length is then not looked at; none if the file does
        not begin with a page.
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
        # A long file is known by its last page, unless that is of another link.
        if beginning and not page.begins and not found and end > _WALKED and _last_serial(file, end) in serials:
            return [Link(first, end, None)]
        beginning = page.begins
    return found if first is None else [*found, Link(first, end, _seconds(file, first, last_position))]


def _seconds(file: BinaryIO, first: Page, position: int) -> float | None:
    """The time of a position, by the header of its stream."""
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
    """The first page of an Opus file that says 48 kHz for the rate of what was encoded; None where it does.

    That rate is a remark and may be 0. Opus is decoded at 48 kHz, but libsndfile does it at the rate of the remark, and
    at 8 kHz where that is 0.
    """
    file.seek(page.at)
    data = bytearray(file.read(page.size))
    rate_at = page.head_size + 12
    if data[page.head_size : page.head_size + 8] != b"OpusHead" or len(data) < rate_at + 4:
        return None
    if struct.unpack_from("<I", data, rate_at)[0] > 24000:
        return None
    struct.pack_into("<I", data, rate_at, 48000)
    struct.pack_into("<I", data, 22, 0)
    struct.pack_into("<I", data, 22, _check_sum(data))
    return bytes(data)


def _pages(file: BinaryIO, place: int, end: int) -> Iterator[Page]:
    """All pages; what is between them is passed over."""
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
