"""Tags and padding around the audio of a file."""

from __future__ import annotations

import re
from typing import BinaryIO

#: Bytes read at a time.
_WINDOW = 1 << 16
#: The bytes that erased or unused storage consists of.
_PADDING = (b"\x00", b"\xff")
#: Fewer equal bytes at the end may be audio.
_SHORTEST_PADDING = 16


def id3v2_size(head: bytes) -> int:
    """The size of an ID3v2 tag.

    Args:
        head: at least ten bytes.

    Returns:
        Bytes, including header and footer; 0 if there is no such tag.

    Example:
        >>> id3v2_size(b"ID3" + bytes([4, 0, 0, 0, 0, 1, 2]))
        140
    """
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or max(head[6:10]) > 0x7F:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return size + (20 if head[5] & 0x10 else 10)


def first_content(file: BinaryIO, start: int = 0) -> int:
    """The first byte after the ID3v2 tags at a position of a file."""
    while True:
        file.seek(start)
        size = id3v2_size(file.read(10))
        if not size:
            return start
        start += size


def last_content(file: BinaryIO, start: int, end: int, padding: bool) -> int:
    """The end of a file without trailing ID3v1, ID3v2, APE and Lyrics3 tags and, optionally, without padding.

    Args:
        file: the file.
        start: a lower limit of the result, in bytes; if it is beyond ``end``, the result is ``end``.
        end: end of the file, in bytes.
        padding: whether to leave out equal bytes at the end, zeros or 0xFF.

    Returns:
        The end of the content, in bytes.
    """
    while start < end:
        before = _without_tag(file, start, end)
        if padding and before == end:
            before = _without_padding(file, start, end)
        if before == end:
            break
        end = before
    return end


def _without_tag(file: BinaryIO, start: int, end: int) -> int:
    """The end of a file without its last tag."""
    place = max(start, end - 512)
    file.seek(place)
    last = file.read(end - place)
    size = 0
    if last[-128:-125] == b"TAG" and len(last) >= 128:
        size = 355 if last[-355:-351] == b"TAG+" else 128
    elif last[-32:-24] == b"APETAGEX" and len(last) >= 32:
        flags = int.from_bytes(last[-12:-8], "little")
        size = int.from_bytes(last[-20:-16], "little") + (32 if flags >> 31 else 0)
    elif last.endswith(b"LYRICS200") and last[-15:-9].isdigit():
        size = int(last[-15:-9]) + 15
    elif last.endswith(b"LYRICSEND"):
        place = max(start, end - 5120)
        file.seek(place)
        found = file.read(end - place).rfind(b"LYRICSBEGIN")
        size = 0 if found < 0 else end - place - found
    elif last[-10:-7] == b"3DI":
        size = id3v2_size(b"ID3" + last[-7:])
    return end - size if 0 < size <= end - start else end


def _without_padding(file: BinaryIO, start: int, end: int) -> int:
    """The end of a file without trailing zeros or 0xFF."""
    n_equal = 0
    byte = b""
    while end - n_equal > start:
        place = max(start, end - n_equal - _WINDOW)
        file.seek(place)
        data = file.read(end - n_equal - place)
        byte = byte or data[-1:]
        if byte not in _PADDING:
            return end
        kept = len(data.rstrip(byte))
        n_equal += len(data) - kept
        if kept:
            break
    return end - n_equal if n_equal >= _SHORTEST_PADDING else end


def is_chunk_name(name: bytes) -> bool:
    """Whether four bytes can be the name of a chunk: printable ASCII.

    Example:
        >>> is_chunk_name(b"LIST"), is_chunk_name(b"id3 "), is_chunk_name(bytes([2, 195, 7, 222]))
        (True, True, False)
    """
    return re.fullmatch(rb"[\x20-\x7e\xa9]{4}", name) is not None
