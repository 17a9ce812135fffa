"""The amount of audio in a file: the size that its header states, compared with the size of the file.

The two often differ. A recorder was not closed, a program wrote into a pipe, a size beyond 4 GiB overflowed its field,
a download stopped. One rule holds for all containers. All samples are read if header and file agree, if the header
leaves the size open, or if the difference has a known and harmless cause. Otherwise the file is refused, and the
message names both sizes.
"""

from __future__ import annotations

from typing import BinaryIO

from byola_hear.audio.formats.layout import Layout
from byola_hear.audio.formats.tails import first_content, last_content
from byola_hear.audio.source import TOLERANCE_S, AudioFileError
from byola_hear.audio.spliced import Part

#: Beginnings of audio files and of chunks of samples.
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
#: Bytes of a header that programs count as samples by mistake, at most.
_MISCOUNTED = 128
#: Fewer bytes than the head of a chunk have no meaning.
_CHUNK_HEAD = 8


def extent(path: str, file: BinaryIO, size: int, layout: Layout) -> int:
    """The size of the samples in a file.

    Args:
        path: the name used in messages.
        file: the file.
        size: its size in bytes.
        layout: what its header states.

    Returns:
        Bytes of samples from ``layout.start`` on.

    Raises:
        AudioFileError: if the file has fewer than its header states, or more of an unknown kind.
    """
    available = size - layout.start
    if layout.stated is None:
        # A size of 0 means "not known", unless chunks follow: then there are no samples.
        place, left = _after(file, layout, layout.start, size)
        is_empty = layout.start >= size or (place > layout.start and not left)
        return 0 if is_empty else last_content(file, layout.start, size, False) - layout.start
    if layout.stated > available:
        missing = layout.stated - available
        # Some programs count the header, or a part of it, as samples.
        if missing <= _MISCOUNTED or missing in (layout.start, layout.start - 8):
            return available
        raise AudioFileError(f"{path}: truncated: {available} of {layout.stated} bytes of audio are there")
    end = layout.start + layout.stated
    place, left = _after(file, layout, end, size)
    file.seek(place)
    if file.read(4) in _MORE_AUDIO and left:
        raise AudioFileError(
            f"{path}: contains more audio than its header states: after {layout.stated} bytes, something else "
            f"begins at byte {place} of {size}"
        )
    seconds = left / layout.byte_rate if layout.byte_rate else 0.0
    if not left or place > end + 1 or (layout.byte_rate and seconds <= TOLERANCE_S):
        return layout.stated
    # What follows is not a chunk. It is samples if the enclosing chunk includes it, or if both sizes overflowed.
    if layout.outer_end is not None and (layout.outer_end >= size - 1 or (layout.outer_end - size) % (1 << 32) <= 1):
        return last_content(file, layout.start, size, False) - layout.start
    raise AudioFileError(
        f"{path}: its header states {layout.stated} bytes of audio, but {left} more follow that are neither a chunk "
        "nor a tag"
    )


def shown_to_libsndfile(layout: Layout, wanted: int, size: int) -> tuple[Part, ...] | None:
    """The parts of a file from which libsndfile reads a number of bytes of samples; None for the whole file."""
    shown = None if layout.shown is None else min(layout.shown, size - layout.start)
    return None if shown == wanted else layout.view(wanted)


def _after(file: BinaryIO, layout: Layout, place: int, size: int) -> tuple[int, int]:
    """The end of the chunks and tags that begin at a byte, and the number of bytes of other kinds that follow."""
    while size - place >= _CHUNK_HEAD:
        after = first_content(file, place)
        if after == place and layout.chunk_end is not None and not _is_more_audio(file, place):
            # Chunks begin at even bytes, but not all programs care.
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
