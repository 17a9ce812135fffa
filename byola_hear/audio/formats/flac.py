"""The number of samples in a FLAC file, from its header and from its last frame; source: RFC 9639."""

from __future__ import annotations

from functools import cache
from typing import BinaryIO, NamedTuple

#: What a stream begins with: its name, and the head of a block of 34 bytes.
BEGINNING = b"fLaC\0\0\0\x22"
#: The last frame begins within this many bytes of the end; frames of 16-bit stereo have at most a quarter.
_WINDOW = 1 << 18
#: The header of a frame has at most this many bytes.
_LONGEST_HEAD = 16
#: Samples per channel by the four bits of a frame's header; for 6 and 7 the number is at the end of the header.
_BLOCK_SIZES = {1: 192, **{code: 144 << code for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}
_RATES = {
    1: 88200,
    2: 176400,
    3: 192000,
    4: 8000,
    5: 16000,
    6: 22050,
    7: 24000,
    8: 32000,
    9: 44100,
    10: 48000,
    11: 96000,
}


class StreamInfo(NamedTuple):
    """The header of a FLAC stream.

    Attributes:
        frames_at: first byte of the first frame.
        block_size: samples per channel of each frame; 0 if frames differ.
        sample_rate: Hz.
        channels: number of channels.
        n_samples: samples per channel; 0 if the header leaves it open.
    """

    frames_at: int
    block_size: int
    sample_rate: int
    channels: int
    n_samples: int

    def with_samples(self, n_samples: int, head: bytes) -> bytes:
        """The first 26 bytes of a file, changed to another number of samples."""
        packed = int.from_bytes(head[21:26], "big") & ~((1 << 36) - 1) | n_samples
        return head[:21] + packed.to_bytes(5, "big")


def stream_info(file: BinaryIO) -> StreamInfo | None:
    """Read the header of a file; None if it is not FLAC or is broken."""
    file.seek(0)
    head = file.read(42)
    if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
        return None
    smallest, largest = int.from_bytes(head[8:10], "big"), int.from_bytes(head[10:12], "big")
    packed = int.from_bytes(head[18:26], "big")
    place, is_last = 4, False
    while not is_last:
        file.seek(place)
        block = file.read(4)
        if len(block) < 4:
            return None
        is_last, place = block[0] > 0x7F, place + 4 + int.from_bytes(block[1:], "big")
    block_size = smallest if smallest == largest else 0
    return StreamInfo(place, block_size, packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1)


def first_sample(file: BinaryIO, info: StreamInfo) -> int:
    """The number of the first sample. It is not 0 if a stream was recorded from its middle on."""
    file.seek(info.frames_at)
    samples = _frame_samples(file.read(_LONGEST_HEAD), 0, info)
    return 0 if samples is None else samples[0]


def samples_to_last_frame(file: BinaryIO, info: StreamInfo, end: int, begin: int) -> int | None:
    """Samples per channel up to the end of the last frame.

    Args:
        file: the file.
        info: its header.
        end: end of its frames, in bytes.
        begin: what :func:`first_sample` returns.

    Returns:
        Samples per channel from ``begin`` on; None if no complete frame is found at the end.
    """
    place = max(info.frames_at, end - _WINDOW)
    file.seek(place)
    data = file.read(max(0, end - place))
    at = len(data)
    while (at := data.rfind(b"\xff", 0, at)) >= 0:
        samples = _frame_samples(data, at, info)
        if samples is not None and (samples[1] - begin == info.n_samples or _is_whole(data[at:])):
            return samples[1] - begin
    return None


def _frame_samples(data: bytes, at: int, info: StreamInfo) -> tuple[int, int] | None:
    """The numbers of a frame's first sample and of the one after it; None if there is no header of this stream."""
    head = data[at : at + _LONGEST_HEAD]
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size_code, rate_code, channel_code = head[2] >> 4, head[2] & 15, head[3] >> 4
    if size_code == 0 or rate_code == 15 or channel_code > 10:
        return None
    if (channel_code + 1 if channel_code < 8 else 2) != info.channels or _RATES.get(rate_code, info.sample_rate) != (
        info.sample_rate
    ):
        return None
    number, n_bytes = _number(head[4:])
    if not n_bytes:
        return None
    place = 4 + n_bytes
    extra = {6: 1, 7: 2}.get(size_code, 0)
    size = _BLOCK_SIZES.get(size_code) or int.from_bytes(head[place : place + extra], "big") + 1
    place += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    # The number counts frames if all are of equal size, otherwise samples.
    if not head[1] & 1:
        if not info.block_size:
            return None
        number *= info.block_size
    return number, number + size


def _number(data: bytes) -> tuple[int, int]:
    """A number of up to 36 bits, coded like a character in UTF-8, and its length in bytes, 0 if it is invalid."""
    ones = 8 - (data[0] ^ 0xFF).bit_length()
    if ones == 0:
        return data[0], 1
    if ones == 1 or ones > 7 or len(data) < ones:
        return 0, 0
    number = data[0] & (0x7F >> ones)
    for byte in data[1:ones]:
        if byte >> 6 != 2:
            return 0, 0
        number = number << 6 | byte & 0x3F
    return number, ones


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


@cache
def _crc16_table() -> tuple[int, ...]:
    table = []
    for crc in range(0, 0x10000, 0x100):
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return tuple(table)


def _is_whole(frame: bytes) -> bool:
    """Whether bytes are a complete frame: the checksum over a frame that ends with its checksum is 0."""
    table, crc = _crc16_table(), 0
    for byte in frame:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc == 0
