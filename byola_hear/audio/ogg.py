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
    """A page: its first byte, its length with the head, its head's length, its stream, whether it begins that."""

    at: int
    size: int
    head_size: int
    serial: int
    begins: bool


class Streams(NamedTuple):
    """What is in a file.

    Attributes:
        n_chained: how many streams follow each other, each read to its end before the next begins.
        first: the first page.
    """

    n_chained: int
    first: Page


def streams(file: BinaryIO, start: int, end: int) -> Streams | None:
    """Look at the pages from a byte on; None if there is none at it."""
    walk = _pages(file, start, end)
    first = next(walk, None)
    if first is None or first.at != start:
        return None
    serials = {first.serial}
    n_chained, beginning = 1, True
    for page in walk:
        if page.begins and not beginning:
            n_chained += 1
        elif not page.begins and beginning and end - start > _WALKED:
            last = _last_serial(file, start, end)
            return Streams(1 if last is None or last in serials else 2, first)
        beginning = page.begins
        serials.add(page.serial)
    return Streams(n_chained, first)


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
        magic, version, flags, _, serial, _, _, n_segments = _HEAD.unpack_from(data)
        if magic == b"OggS" and version == 0:
            head_size = _HEAD.size + n_segments
            size = head_size + sum(data[_HEAD.size : head_size])
            yield Page(place, size, head_size, serial, bool(flags & _BEGINS))
            place += size
            continue
        file.seek(place + 1)
        found = file.read(_LONGEST_PAGE).find(b"OggS")
        place += 1 + found if found >= 0 else _LONGEST_PAGE - 3


def _last_serial(file: BinaryIO, start: int, end: int) -> int | None:
    place = max(start, end - 2 * _LONGEST_PAGE)
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
