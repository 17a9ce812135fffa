"""The frames of MPEG audio (MP3), found and counted without decoding them."""

from __future__ import annotations

import re
from functools import cache
from typing import BinaryIO, NamedTuple

from byola_hear.audio.formats.tails import id3v2_size
from byola_hear.audio.spliced import Part

#: kbit/s by four bits of a frame's header, for layers I, II and III of MPEG 1 and MPEG 2.
_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
#: Sampling rates of MPEG 1, Hz; those of MPEG 2 are half, those of MPEG 2.5 a quarter of them.
_SAMPLE_RATES = (44100, 48000, 32000)
#: Bytes without a frame after which the search ends; no picture in a tag is longer.
_LONGEST_GAP = 1 << 24
#: Bytes read at a time, and more bytes than any frame has.
_WINDOW, _LONGEST_FRAME = 1 << 20, 1 << 13
#: The first three bytes of a frame.
_HEAD = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]")
#: Fewer consecutive frames of another form are chance.
_FEWEST_FRAMES = 3
#: Bits of a frame's header that must not change within a stream: version, layer, sampling rate.
_FORM = 0b0001_1110_0000_1100


class Run(NamedTuple):
    """Consecutive frames.

    Attributes:
        start: first byte of the first frame.
        end: end of the last frame, in bytes.
        n_frames: number of frames.
        head: second and third byte of the first frame.
        is_mono: whether the frames have one channel.
    """

    start: int
    end: int
    n_frames: int
    head: int
    is_mono: bool

    @property
    def form(self) -> tuple[int, bool]:
        """What must be the same in all frames of a stream."""
        return self.head & _FORM, self.is_mono

    @property
    def seconds(self) -> float:
        """The length, s."""
        return self.n_frames * _frames_by_head()[self.head][1] / _hertz(self.head)


def runs(file: BinaryIO, start: int, end: int) -> list[Run]:
    """Find the frames in a part of a file. Tags and noise between them are skipped.

    Args:
        file: the file.
        start: first byte of the part.
        end: its end, in bytes.

    Returns:
        Runs of frames. A new run begins after each gap, and when rate or channels change. An incomplete frame at the
        end is left out. Empty if there are no frames with a known size.
    """
    sizes = _frames_by_head()
    found: list[Run] = []
    begin, n_frames, first_head, first_form = start, 0, 0, (0, False)
    place, gap = start, 0
    while gap < _LONGEST_GAP and place < end:
        file.seek(place)
        data = file.read(min(_WINDOW, end - place))
        if not data:
            break
        is_last = place + len(data) >= end
        stop = len(data) - (3 if is_last else _LONGEST_FRAME)
        index = 0
        while index < stop:
            head = data[index + 1] << 8 | data[index + 2] if data[index] == 0xFF else 0
            frame = sizes.get(head)
            # After a gap, two consecutive frames are needed: a single one may be chance.
            if frame and index + frame[0] <= len(data) and (n_frames or _is_frame(data, index + frame[0], sizes)):
                form = head & _FORM, data[index + 3] >> 6 == 3
                if n_frames and form != first_form:
                    found.append(Run(begin, place + index, n_frames, first_head, first_form[1]))
                    n_frames = 0
                if not n_frames:
                    begin, first_head, first_form = place + index, head, form
                n_frames += 1
                gap = 0
                index += frame[0]
                continue
            if n_frames:
                found.append(Run(begin, place + index, n_frames, first_head, first_form[1]))
                n_frames = 0
            after = index + id3v2_size(data[index : index + 10])
            if after == index:
                match = _HEAD.search(data, index + 1, max(index + 1, stop + 2))
                after = match.start() if match else max(stop, index + 1)
                gap += after - index
            index = after
        if is_last and index >= stop:
            break
        place += index
    if n_frames:
        found.append(Run(begin, place + index, n_frames, first_head, first_form[1]))
    most = max(found, key=lambda run: run.n_frames, default=None)
    return [run for run in found if most is not None and (run.n_frames >= _FEWEST_FRAMES or run.form == most.form)]


class Summary(NamedTuple):
    """The length of a stream, and how to make a decoder read all of it.

    Attributes:
        n_samples: samples per channel of all frames with audio, including the encoder's delay and padding.
        n_promised: the same number as stated in the first frame (Xing, Info or VBRI); None if there is no such frame.
        parts: the parts of the file with audio, including the first frame if its number is correct.
        counting_frame: a frame that states the number, for decoders that otherwise estimate it.
    """

    n_samples: int
    n_promised: int | None
    parts: tuple[Part, ...]
    counting_frame: bytes


def summary(file: BinaryIO, found: list[Run]) -> Summary:
    """Summarise the frames of a stream.

    Args:
        file: the file.
        found: runs from :func:`runs`, at least one, all of the same form.
    """
    n_frames = 0
    promised: int | None = None
    parts: list[Part] = []
    samples = _frames_by_head()[found[0].head][1]
    for index, run in enumerate(found):
        frames = _promised_frames(file, run)
        size = _frames_by_head()[run.head][0]
        if frames is not None and index == 0:
            promised = frames
        silent = int(frames is not None)
        n_frames += run.n_frames - silent
        parts.append((run.start + size * silent, run.end))
    if len(found) == 1 and promised == n_frames:
        parts = [(found[0].start, found[0].end)]
    counting_frame = _counting_frame(file, found[0], n_frames)
    return Summary(n_frames * samples, promised and promised * samples, tuple(parts), counting_frame)


def joined(file: BinaryIO, found: list[Run]) -> list[Run]:
    """The MP3s of a file that consists of several, each complete with a first frame that states its length.

    Args:
        file: the file.
        found: runs from :func:`runs`, at least one, all of the same form.

    Returns:
        A run for each of them; empty if a part of the file is something else.
    """
    files: list[Run] = []
    waiting = list(reversed(found))
    while waiting:
        run = waiting.pop()
        promised = _promised_frames(file, run)
        if not promised or run.n_frames <= promised:
            return []
        end = _end_of_frames(file, run, promised + 1)
        if end < run.end:
            waiting.append(run._replace(start=end, n_frames=run.n_frames - promised - 1))
        files.append(run._replace(end=end, n_frames=promised + 1))
    return files


def _end_of_frames(file: BinaryIO, run: Run, n_frames: int) -> int:
    """The end of the first frames of a run, in bytes."""
    if n_frames == run.n_frames:
        return run.end
    sizes, place = _frames_by_head(), run.start
    for _ in range(n_frames):
        file.seek(place)
        head = file.read(3)
        place += sizes[head[1] << 8 | head[2]][0]
    return place


def _promised_frames(file: BinaryIO, run: Run) -> int | None:
    """The number of frames that the first frame states; None if it is a frame with audio."""
    size, _ = _frames_by_head()[run.head]
    file.seek(run.start)
    frame = file.read(size)
    at = _xing_at(run)
    if frame[at : at + 4] in (b"Xing", b"Info"):
        return int.from_bytes(frame[at + 8 : at + 12], "big") if frame[at + 7] & 1 else 0
    return int.from_bytes(frame[50:54], "big") if frame[36:40] == b"VBRI" else None


def _xing_at(run: Run) -> int:
    """The position of the name ``Xing`` in its frame: after the header and the side information."""
    if run.head >> 11 & 3 == 3:
        return 4 + (17 if run.is_mono else 32)
    return 4 + (9 if run.is_mono else 17)


def _counting_frame(file: BinaryIO, run: Run, n_frames: int) -> bytes:
    """A frame without audio that states how many follow."""
    if run.head >> 9 & 3 != 1:
        return b""  # Only layer III has such frames.
    file.seek(run.start)
    head = bytearray(file.read(4))
    # Without a checksum, and with enough bits.
    head[1] |= 1
    head[2] = head[2] & 0x0F | 0x90
    frame = bytearray(_frames_by_head()[head[1] << 8 | head[2]][0])
    frame[:4] = head
    at = _xing_at(run)
    frame[at : at + 12] = b"Xing" + (1).to_bytes(4, "big") + n_frames.to_bytes(4, "big")
    return bytes(frame)


def is_frame(head: bytes) -> bool:
    """Whether bytes begin with the header of a frame."""
    return _is_frame(head, 0, _frames_by_head())


def _is_frame(data: bytes, place: int, sizes: dict[int, tuple[int, int]]) -> bool:
    head = data[place : place + 3]
    return len(head) == 3 and head[0] == 0xFF and head[1] << 8 | head[2] in sizes


def _hertz(head: int) -> int:
    return _SAMPLE_RATES[head >> 2 & 3] // {3: 1, 2: 2, 0: 4}[head >> 11 & 3]


@cache
def _frames_by_head() -> dict[int, tuple[int, int]]:
    """Size in bytes and length in samples of a frame, by its second and third byte."""
    found = {}
    for head in range(0xE000, 0x10000):
        version = {3: 1, 2: 2, 0: 2}.get(head >> 11 & 3)
        layer = 4 - (head >> 9 & 3)
        rate, frequency = head >> 4 & 15, head >> 2 & 3
        if version is None or layer == 4 or rate in (0, 15) or frequency == 3:
            continue
        hertz = _hertz(head)
        n_samples = 384 if layer == 1 else 1152 if layer == 2 or version == 1 else 576
        # Layer I counts in slots of four bytes.
        slot = 4 if layer == 1 else 1
        slots = n_samples // 8 * _RATES[version, layer][rate] * 1000 // (hertz * slot) + (head >> 1 & 1)
        found[head] = (slots * slot, n_samples)
    return found
