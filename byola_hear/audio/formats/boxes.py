"""The outermost boxes of MP4, ASF (WMA) and AVI files, which only ffmpeg decodes."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from byola_hear.audio.formats.tails import is_chunk_name

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
#: How its header, data, index and simple index begin.
_ASF_OBJECTS = tuple(map(bytes.fromhex, ("3026b275", "3626b275", "d329e2d6", "90080033")))
#: Boxes of MP4 of which a part may be missing; of others none is.
_MP4 = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof", b"mfra", b"sidx", b"udta"))
_AVI = (b"AVI ", b"AVIX")


class Boxes(NamedTuple):
    """The outermost boxes.

    Attributes:
        end: end of the last complete box, in bytes.
        promised: end of the last box as its header states it, which is beyond the file if the file is truncated.
        n_files: number of files that were joined, each with its own boxes.
    """

    end: int
    promised: int
    n_files: int


def boxes(file: BinaryIO, size: int) -> Boxes | None:
    """Walk through the boxes of a file; None if it has another format."""
    file.seek(0)
    head = file.read(16)
    kind = "mp4" if head[4:8] in (b"ftyp", b"moov", b"mdat") else "asf" if head == _ASF else None
    kind = kind or ("avi" if head[:4] == b"RIFF" and head[8:12] in _AVI else None)
    if kind is None:
        return None
    place = end = 0
    n_files = 0
    while place < size:
        file.seek(place)
        head = file.read(24)
        if kind == "mp4":
            length, is_box, first = _mp4_box(head, size - place)
        elif kind == "asf":
            # Of streams that are written as they come the size is 0.
            length, first = int.from_bytes(head[16:24], "little"), head[:16] == _ASF
            is_box = head[:4] in _ASF_OBJECTS
        else:
            length, first = 8 + int.from_bytes(head[4:8], "little"), head[8:12] == b"AVI "
            length, is_box = length + length % 2, head[:4] == b"RIFF" and head[8:12] in _AVI
        if not is_box or length < 8:
            break
        n_files += first
        place += length
        end = place if place <= size else end
    return Boxes(end, place, n_files)


def _mp4_box(head: bytes, left: int) -> tuple[int, bool, bool]:
    """The length of a box, whether it is one, and whether it is the first of a file."""
    length, name = int.from_bytes(head[:4], "big"), head[4:8]
    if length == 1:
        length = int.from_bytes(head[8:16], "big")
    # The last one may go to the file's end, wherever that is.
    length = length if length or name not in _MP4 else left
    return length, name in _MP4 or (is_chunk_name(name) and length <= left), name == b"ftyp"
