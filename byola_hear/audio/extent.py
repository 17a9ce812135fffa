"""How much audio is in a file: what its header says, compared with what is there.

A header that says less than there is, more than there is, or that it does not know, is common: a recorder was not
closed, a pipe has no end to go back from, four gibibytes overflow a field, a download stopped. The rule is the same
for all formats: where header and file agree, or the format says that they need not, or the difference has a known
harmless cause, the samples are read, all of them; else the file is refused with the two numbers.
"""

from __future__ import annotations

from typing import BinaryIO

from byola_hear.audio.layout import Layout
from byola_hear.audio.source import TOLERANCE_S, AudioFileError
from byola_hear.audio.spliced import Part
from byola_hear.audio.tails import first_content, last_content

#: What another audio file begins with, or another chunk of samples.
_MORE_AUDIO = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b"riff",
    b"FORM",
    b"caff",
    b".snd",
    b"fLaC",
    b"OggS",
    b"data",
    b"SSND",
)
#: So many bytes of a usual header are counted as samples by mistake.
_MISCOUNTED = 128
#: Fewer bytes than a chunk's head say nothing.
_CHUNK_HEAD = 8


def extent(path: str, file: BinaryIO, size: int, layout: Layout) -> int:
    """How many bytes of samples a file has.

    Args:
        path: the file's name, for errors.
        file: the file.
        size: its length in bytes.
        layout: what its header says.

    Returns:
        Bytes from ``layout.start``.

    Raises:
        AudioFileError: if there are fewer than the header says, or more and it is not clear what they are.
    """
    available = size - layout.start
    if layout.stated is None:
        # A size of 0 is "not known", unless the chunks that follow show that nothing was left out.
        place, left = _after(file, layout, layout.start, size)
        return 0 if place > layout.start and not left else last_content(file, layout.start, size, False) - layout.start
    if layout.stated > available:
        missing = layout.stated - available
        # Programs count the header in, or a part of it.
        if missing <= _MISCOUNTED or missing in (layout.start, layout.start - 8):
            return available
        raise AudioFileError(f"{path}: truncated: {available} of {layout.stated} bytes of audio are there")
    end = layout.start + layout.stated
    place, left = _after(file, layout, end, size)
    file.seek(place)
    if file.read(4) in _MORE_AUDIO and left:
        raise AudioFileError(
            f"{path}: holds more audio than its header says: {layout.stated} bytes, and something else that begins at "
            f"byte {place} of {size}"
        )
    seconds = left / layout.byte_rate if layout.byte_rate else 0.0
    if not left or place > end + 1 or (layout.byte_rate and seconds <= TOLERANCE_S):
        return layout.stated
    # No chunk follows, so these are samples where the chunk around them has room for them, or where both
    # sizes are what is left of larger ones by 32 bits.
    if layout.outer_end is not None and (layout.outer_end >= size - 1 or (layout.outer_end - size) % (1 << 32) <= 1):
        return last_content(file, layout.start, size, False) - layout.start
    raise AudioFileError(
        f"{path}: its header says {layout.stated} bytes of audio, but {left} more follow that are neither a chunk "
        "nor a tag"
    )


def shown_to_libsndfile(layout: Layout, wanted: int, size: int) -> tuple[Part, ...] | None:
    """The parts of a file of which libsndfile reads so many bytes of samples; None for the file as it is."""
    shown = None if layout.shown is None else min(layout.shown, size - layout.start)
    return None if shown == wanted else layout.view(wanted)


def _after(file: BinaryIO, layout: Layout, place: int, size: int) -> tuple[int, int]:
    """How far chunks and tags go from a byte on, and how many bytes that are neither, nor padding, follow."""
    while size - place >= _CHUNK_HEAD:
        after = first_content(file, place)
        if after == place and layout.chunk_end is not None and not _is_more_audio(file, place):
            # A chunk begins at an even byte, or at an odd one where a program did not care.
            candidates = (place, place + 1) if place % 2 == 0 else (place + 1, place)
            ends = (layout.chunk_end(file, each, size) for each in candidates)
            after = next((end for end in ends if end is not None), place)
        if after == place:
            break
        place = after
    left = last_content(file, min(place, size), size, True) - place
    return place, left if left >= _CHUNK_HEAD else 0


def _is_more_audio(file: BinaryIO, place: int) -> bool:
    file.seek(place)
    return file.read(4) in _MORE_AUDIO
