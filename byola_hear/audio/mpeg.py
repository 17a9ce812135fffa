"""How long an MPEG audio file (MP3) really is: its frames, counted without decoding them."""

from __future__ import annotations

from functools import cache

#: kbit/s by the header's four bits, for MPEG 1 layers I, II, III and MPEG 2 layers I, II and III.
_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
#: Hz of MPEG 1; MPEG 2 has half of it and MPEG 2.5 a quarter.
_SAMPLE_RATES = (44100, 48000, 32000)
#: Bytes without a frame after which nothing is looked for any more: pictures in tags are no longer.
_LONGEST_GAP = 1 << 24
#: Bytes looked at at a time, and more than any frame has.
_WINDOW, _LONGEST_FRAME = 1 << 20, 1 << 13


def counted_samples(path: str) -> int:
    """Samples a channel in all frames of an MPEG audio file, the encoder's delay and padding included.

    Args:
        path: the file.

    Returns:
        How many; 0 if there are no frames of which the length is in their heads.

    Raises:
        OSError: if the file can't be read.
    """
    sizes = _frames_by_head()
    n_samples = place = gap = 0
    in_step = False
    with open(path, "rb") as file:
        while gap < _LONGEST_GAP:
            file.seek(place)
            data = file.read(_WINDOW)
            # The last window is looked through to its end, others as far as the frame after is in it.
            end = len(data) - (_LONGEST_FRAME if len(data) == _WINDOW else 3)
            index = 0
            while 0 <= index < end:
                frame = sizes.get(data[index + 1] << 8 | data[index + 2]) if data[index] == 0xFF else None
                # After a gap two frames in a row: one alone may be chance.
                if frame and (in_step or _is_frame(data, index + frame[0], sizes)):
                    n_samples += frame[1]
                    index += frame[0]
                    in_step, gap = True, 0
                    continue
                in_step = False
                if data.startswith(b"ID3", index):
                    index += 10 + _tag_size(data[index + 6 : index + 10])
                    continue
                found = data.find(b"\xff", index + 1, end)
                gap += (end if found < 0 else found) - index
                index = end if found < 0 else found
            if len(data) < _WINDOW:
                break
            place += index
    return n_samples


def _is_frame(data: bytes, place: int, sizes: dict[int, tuple[int, int]]) -> bool:
    head = data[place : place + 3]
    return len(head) == 3 and head[0] == 0xFF and head[1] << 8 | head[2] in sizes


def _tag_size(head: bytes) -> int:
    """The length of an ID3 tag: four times seven bits."""
    size = 0
    for byte in head:
        size = size << 7 | byte & 0x7F
    return size


@cache
def _frames_by_head() -> dict[int, tuple[int, int]]:
    """Length in bytes and in samples of a frame, by the second and third byte of its head."""
    found = {}
    for head in range(0xE000, 0x10000):
        version = {3: 1, 2: 2, 0: 2}.get(head >> 11 & 3)
        layer = 4 - (head >> 9 & 3)
        rate, frequency = head >> 4 & 15, head >> 2 & 3
        if version is None or layer == 4 or rate in (0, 15) or frequency == 3:
            continue
        hertz = _SAMPLE_RATES[frequency] // {3: 1, 2: 2, 0: 4}[head >> 11 & 3]
        n_samples = 384 if layer == 1 else 1152 if layer == 2 or version == 1 else 576
        # Layer I counts in slots of four bytes.
        slot = 4 if layer == 1 else 1
        slots = n_samples // 8 * _RATES[version, layer][rate] * 1000 // (hertz * slot) + (head >> 1 & 1)
        found[head] = (slots * slot, n_samples)
    return found
