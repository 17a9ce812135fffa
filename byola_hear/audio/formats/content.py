"""The structure of an audio file, examined before a decoder opens it.

Decoders trust a header that counts too few samples, stop at anything they do not know, and read tags as sound. This
module therefore compares the header with the file first. That takes a few reads of some kilobytes. MP3, Ogg and
WavPack files have no table of contents, so the headers of all their frames, pages and blocks are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO, cast

from byola_hear.audio.formats import flac, ogg, voc, wavpack
from byola_hear.audio.formats.boxes import Boxes, boxes
from byola_hear.audio.formats.extent import extent, shown_to_libsndfile
from byola_hear.audio.formats.framed import frames_end
from byola_hear.audio.formats.headers import layout_of
from byola_hear.audio.formats.layout import Layout
from byola_hear.audio.formats.mpeg import Summary, is_frame, joined, runs, summary
from byola_hear.audio.formats.tails import first_content, last_content
from byola_hear.audio.source import TOLERANCE_S, AudioFileError
from byola_hear.audio.spliced import Part, Spliced, overwritten

#: Size of files that are searched for the beginning of a second file, bytes.
_SEARCHED = 1 << 18
#: Results for larger files are cached, because segments of one file are often read one after the other.
_KEPT_FROM, _KEPT_FILES = 1 << 20, 256
#: Bytes of any kind that may follow the blocks of a VOC file.
_LARGEST_REST = 4096
#: Bytes after the last frame, such as a part of a frame, that every decoder skips.
_PASSED_OVER = 256
#: Suffixes of files that are searched for MPEG frames even if they begin with something else.
_MPEG_SUFFIXES = (".mp3", ".mp2", ".mpga", ".mpa")


@dataclass(frozen=True)
class Content:
    """The structure of a file.

    Attributes:
        end: first byte of trailing tags and padding; the size of the file if there are none.
        start: first byte after leading tags.
        parts: the parts of the file that libsndfile reads; None for the whole file.
        links: for files of several streams, ``parts`` of each; otherwise empty.
        frames: samples per channel, if the structure shows them; None to rely on libsndfile.
        seconds: length of the audio, if the structure shows it, s.
        foreign: why libsndfile would not read all of the audio; None if it does.
        mpeg: summary of an MPEG stream; None for other codecs.
        is_checked: whether the length of the samples was compared with the size of the file.
        is_changed: whether libsndfile is shown more samples than the header states.
        header_seconds: the length that the header states, if ``is_changed``, s; None if it can't be converted.
        is_streamed: whether the header leaves the length open.
        is_seekable: whether libsndfile finds samples by their number, where it does in files of this kind.
    """

    end: int
    start: int = 0
    parts: tuple[Part, ...] | None = None
    links: tuple[tuple[Part, ...], ...] = ()
    frames: int | None = None
    seconds: float | None = None
    foreign: str | None = None
    mpeg: Summary | None = None
    is_checked: bool = True
    is_changed: bool = False
    header_seconds: float | None = None
    is_streamed: bool = False
    is_seekable: bool = True


def content_of(path: str) -> Content:
    """Examine a file.

    Args:
        path: a regular file.

    Returns:
        Its structure.

    Raises:
        AudioFileError: if the file is truncated, contains more audio than its header states, or can't be opened.
    """
    try:
        status = os.stat(path)
        if status.st_size >= _KEPT_FROM:
            return _kept(path, status.st_ino, status.st_size, status.st_mtime_ns)
        return _content(path)
    except OSError as error:
        reason = "permission denied" if isinstance(error, PermissionError) else error.strerror or str(error)
        raise AudioFileError(f"{path}: can't be opened ({reason})") from error


@lru_cache(_KEPT_FILES)
def _kept(path: str, *stamp: int) -> Content:
    return _content(path)


def _content(path: str) -> Content:
    with open(path, "rb") as file:
        return content(path, file)


def content(path: str, file: BinaryIO) -> Content:
    """Examine an open file; see :func:`content_of`.

    Args:
        path: the name used in messages.
        file: opened for reading in binary mode.
    """
    size = file.seek(0, os.SEEK_END)
    start = first_content(file)
    if start:
        if start >= size:
            raise AudioFileError(f"{path}: contains no audio, only {'a part of a tag' if start > size else 'tags'}")
        return _shifted(content(path, cast(BinaryIO, Spliced(file, [(start, size)]))), start, size)
    if (layout := layout_of(file, size)) is not None:
        return _chunked(path, file, size, layout)
    file.seek(0)
    head = file.read(20)
    for magic, look in _BY_MAGIC.items():
        if head.startswith(magic) and (found := look(path, file, size)):
            return found
    is_mpeg = is_frame(head) or path.lower().endswith(_MPEG_SUFFIXES)
    if is_mpeg and (found := _mpeg(path, file, 0, last_content(file, 0, size, True), size)):
        return found
    if (outer := boxes(file, size)) is not None:
        return _boxed(path, file, size, outer)
    frames = frames_end(file, size)
    if frames is not None and (frames[1] or last_content(file, frames[0], size, True) - frames[0] < _PASSED_OVER):
        return Content(frames[0])
    end = last_content(file, 0, size, False)
    return Content(end, parts=((0, end),) if end < size else None, is_checked=False)


def _shifted(found: Content, start: int, size: int) -> Content:
    """Convert positions in a file without its leading tags to positions in the whole file."""

    def shifted(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(part if isinstance(part, bytes) else (part[0] + start, part[1] + start) for part in parts)

    return replace(
        found,
        end=found.end + start,
        start=found.start + start,
        parts=((start, size),) if found.parts is None else shifted(found.parts),
        links=tuple(map(shifted, found.links)),
        mpeg=found.mpeg and found.mpeg._replace(parts=shifted(found.mpeg.parts)),
    )


def _chunked(path: str, file: BinaryIO, size: int, layout: Layout) -> Content:
    wanted = extent(path, file, size, layout)
    if layout.is_mpeg:
        return _mpeg(path, file, layout.start, layout.start + wanted, size) or Content(size)
    parts = shown_to_libsndfile(layout, wanted, size)
    return Content(
        size,
        parts=parts,
        frames=wanted // layout.block[0] * layout.block[1] if layout.block else None,
        is_changed=layout.stated is not None and wanted > layout.stated,
        header_seconds=(layout.stated or 0) / layout.byte_rate if layout.byte_rate else None,
        is_streamed=layout.stated is None,
    )


def _boxed(path: str, file: BinaryIO, size: int, outer: Boxes) -> Content:
    if outer.promised > size:
        raise AudioFileError(f"{path}: truncated: {size} of {outer.promised} bytes are there")
    if outer.n_files > 1:
        raise AudioFileError(f"{path}: contains {outer.n_files} files one after the other")
    return Content(outer.end)


def _flac(path: str, file: BinaryIO, size: int) -> Content | None:
    info = flac.stream_info(file)
    if info is None:
        return None
    if info.frames_at > size:
        raise AudioFileError(f"{path}: truncated: {size} bytes are there, and its header alone has {info.frames_at}")
    end = last_content(file, info.frames_at, size, True)
    begin = flac.first_sample(file, info)
    found = flac.samples_to_last_frame(file, info, end, begin)
    if size <= _SEARCHED or found != info.n_samples:
        second = _find(file, flac.BEGINNING, info.frames_at, size)
        if second is not None:
            raise AudioFileError(
                f"{path}: contains more audio than its header states: another FLAC stream begins at byte {second} of "
                f"{size}"
            )
    if found is None:
        return Content(end, frames=info.n_samples or None, is_seekable=not begin)
    if found < info.n_samples:
        raise AudioFileError(f"{path}: truncated: {found} of {info.n_samples} samples are there")
    if found == info.n_samples or not info.n_samples:
        # libsndfile seeks by the numbers in the frames.
        return Content(end, frames=found, is_streamed=not info.n_samples, is_seekable=not begin)
    file.seek(0)
    parts = overwritten({0: info.with_samples(found, file.read(26))}, end)
    seconds = info.n_samples / info.sample_rate if info.sample_rate else None
    return Content(end, parts=parts, frames=found, is_changed=True, header_seconds=seconds, is_seekable=not begin)


def _ogg(path: str, file: BinaryIO, size: int) -> Content | None:
    parts: list[tuple[Part, ...]] = []
    seconds: float | None = 0.0
    found = ogg.links(file, size)
    for link in found:
        page = ogg.opus_at_48_khz(file, link.first)
        parts.append(
            (page or (link.first.at, link.first.at + link.first.size), (link.first.at + link.first.size, link.end))
        )
        seconds = None if seconds is None or link.seconds is None else seconds + link.seconds
    if any(ogg.has_audio_among_headers(file, link) for link in found):
        foreign = "Vorbis whose audio begins on a page of its headers, where libsndfile leaves it out"
        return Content(size, seconds=seconds, foreign=foreign)
    if len(found) > 1:
        return Content(size, links=tuple(parts), seconds=seconds)
    # A usual file is read as it is, unless its first page is replaced.
    return Content(size, parts=parts[0] if isinstance(parts[0][0], bytes) else None) if found else None


def _wavpack(path: str, file: BinaryIO, size: int) -> Content | None:
    found = wavpack.blocks(file, size)
    if found is None:
        return None
    if found.n_promised is not None and found.n_samples < found.n_promised:
        raise AudioFileError(f"{path}: truncated: {found.n_samples} of {found.n_promised} samples are there")
    seconds = found.n_samples / found.sample_rate if found.sample_rate else None
    left = last_content(file, found.end, size, True) - found.end
    if left and seconds and left / found.end * seconds > TOLERANCE_S:
        raise AudioFileError(f"{path}: damaged or truncated: {left} bytes after {seconds:.2f} s are not WavPack blocks")
    return Content(found.end)


def _voc(path: str, file: BinaryIO, size: int) -> Content | None:
    n_sound, end = voc.sound_blocks(file, size)
    if end > size:
        raise AudioFileError(f"{path}: truncated: {size} of {end} bytes are there")
    left = last_content(file, end, size, True) - end
    if left > _LARGEST_REST:
        raise AudioFileError(f"{path}: contains more than its blocks: {left} bytes follow them")
    foreign = "a VOC file of several blocks, whose headers libsndfile reads as sound" if n_sound > 1 else None
    return Content(end, parts=((0, end),) if size > end else None, foreign=foreign)


def _mpeg(path: str, file: BinaryIO, start: int, end: int, size: int) -> Content | None:
    found = runs(file, start, end)
    if not found:
        return None
    seconds = sum(run.seconds for run in found)
    if len({run.form for run in found}) > 1:
        foreign = "an MP3 whose sample rate or channels change, of which libsndfile reads only the first part"
        return Content(end, seconds=seconds, foreign=foreign)
    stream = summary(file, found)
    missing = (stream.n_promised or 0) - stream.n_samples
    if missing > TOLERANCE_S * stream.n_samples / seconds:
        raise AudioFileError(f"{path}: truncated: {stream.n_samples} of {stream.n_promised} samples are there")
    if stream.n_promised and stream.n_samples > stream.n_promised and (files := joined(file, found)):
        return Content(end, links=tuple(((each.start, each.end),) for each in files))
    # Every decoder skips the rest of a truncated frame and an ID3v1 tag, but not always more.
    is_plain = len(found) == 1 and found[0].start == 0 and size - found[0].end <= _PASSED_OVER
    return Content(end, parts=None if is_plain else stream.parts, seconds=seconds, mpeg=stream)


def _find(file: BinaryIO, wanted: bytes, start: int, end: int) -> int | None:
    """Find a byte string in a part of a file."""
    place = start
    while place < end:
        file.seek(place)
        data = file.read(_SEARCHED + len(wanted))
        found = data.find(wanted)
        if found >= 0:
            return place + found
        place += _SEARCHED
    return None


_BY_MAGIC: dict[bytes, Callable[[str, BinaryIO, int], Content | None]] = {
    b"fLaC": _flac,
    b"OggS": _ogg,
    b"wvpk": _wavpack,
    b"Creative Voice File\x1a": _voc,
}
