"""What is in a file, found out before a decoder is trusted with it.

Decoders believe a header that counts too few samples, stop at what they do not know, and take tags for sound. So the
structure of the usual formats is looked at first. That takes a few reads of some kilobytes; only of MP3, Ogg and
WavPack, which have no table of contents, the heads of all frames, pages and blocks are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from byola_hear.audio import flac, mpeg, ogg, voc, wavpack
from byola_hear.audio.extent import extent, shown_to_libsndfile
from byola_hear.audio.layout import layout_of
from byola_hear.audio.source import TOLERANCE_S, AudioFileError
from byola_hear.audio.spliced import Part, overwritten
from byola_hear.audio.tails import first_content, last_content

#: Bytes of a file in which the beginning of another one is looked for.
_SEARCHED = 1 << 20
#: What is found out about larger files is kept: stretches of one file are read one after the other.
_KEPT_FROM, _KEPT_FILES = 1 << 20, 256
#: Bytes after an MP3's last frame that decoders pass over.
_PASSED_OVER = 256
#: Names of files in which MPEG frames are looked for behind what is none.
_MPEG_SUFFIXES = (".mp3", ".mp2", ".mpga", ".mpa")


@dataclass(frozen=True)
class Content:
    """What is in a file.

    Attributes:
        end: where tags and padding begin, or the file's end.
        parts: what libsndfile is to see of the file; None for all of it as it is.
        frames: samples a channel, where they are known better than by libsndfile.
        seconds: the length, where it is known by other means than the decoder's, s.
        foreign: why libsndfile would read something else than all of it; None if it would not.
        mpeg: what an MPEG stream's frames say; None for other codecs.
        is_checked: whether the end of the samples was compared with that of the file.
        is_changed: whether the parts differ from the file in more than what is cut off.
    """

    end: int
    parts: tuple[Part, ...] | None = None
    frames: int | None = None
    seconds: float | None = None
    foreign: str | None = None
    mpeg: mpeg.Summary | None = None
    is_checked: bool = True
    is_changed: bool = False


def content_of(path: str) -> Content:
    """Look at a file.

    Args:
        path: a regular file.

    Returns:
        What is in it.

    Raises:
        AudioFileError: if it is truncated, holds more than its header says, or can't be opened.
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
    """Look at an open file; see :func:`content_of`.

    Args:
        path: its name, for errors.
        file: open for reading, at any place.
    """
    size = file.seek(0, os.SEEK_END)
    if (layout := layout_of(file, size)) is not None:
        wanted = extent(path, file, size, layout)
        if layout.is_mpeg:
            return _mpeg(path, file, layout.start, layout.start + wanted, size) or Content(size)
        parts = shown_to_libsndfile(layout, wanted, size)
        end = layout.start + wanted
        return Content(size, parts, is_changed=parts is not None and (layout.stated is None or wanted > layout.stated))
    start = first_content(file)
    file.seek(start)
    head = file.read(20)
    for magic, look in _BY_MAGIC.items():
        if head.startswith(magic) and (found := look(path, file, start, size)):
            return found
    is_mpeg = mpeg.is_frame(head) or path.lower().endswith(_MPEG_SUFFIXES)
    if is_mpeg and (found := _mpeg(path, file, start, last_content(file, start, size, True), size)):
        return found
    end = last_content(file, start, size, False)
    is_cut = start > 0 or end < size
    return Content(end, ((start, end),) if is_cut else None, is_checked=False)


def _flac(path: str, file: BinaryIO, start: int, size: int) -> Content | None:
    info = flac.stream_info(file, start)
    if info is None:
        return None
    end = last_content(file, info.frames_at, size, True)
    found = flac.samples_to_last_frame(file, info, end)
    if size - start <= _SEARCHED or found != info.n_samples:
        second = _find(file, b"fLaC\0\0\0\x22", info.frames_at, size)
        if second is not None:
            raise AudioFileError(
                f"{path}: holds more audio than its header says: another FLAC stream begins at byte {second} of {size}"
            )
    if found is None:
        return Content(end, ((start, end),) if start else None, info.n_samples or None)
    if found < info.n_samples:
        raise AudioFileError(f"{path}: truncated: {found} of {info.n_samples} samples are there")
    parts: tuple[Part, ...] | None = ((start, end),) if start or (end < size and not info.n_samples) else None
    if found > info.n_samples > 0:
        file.seek(start)
        parts = overwritten({start: info.with_samples(found, file.read(26))}, end)[1:]
    return Content(end, parts, found, is_changed=found > info.n_samples > 0)


def _ogg(path: str, file: BinaryIO, start: int, size: int) -> Content | None:
    found = ogg.streams(file, start, size)
    if found is None:
        return None
    if found.n_chained > 1:
        return Content(size, foreign="Ogg streams one after the other, of which libsndfile would read the first alone")
    page = ogg.opus_at_48_khz(file, found.first)
    if page is not None:
        return Content(size, (page, (start + len(page), size)))
    return Content(size, ((start, size),) if start else None)


def _wavpack(path: str, file: BinaryIO, start: int, size: int) -> Content | None:
    found = wavpack.blocks(file, start, size)
    if found is None:
        return None
    if found.n_promised is not None and found.n_samples < found.n_promised:
        raise AudioFileError(f"{path}: truncated: {found.n_samples} of {found.n_promised} samples are there")
    seconds = found.n_samples / found.sample_rate if found.sample_rate else None
    left = last_content(file, found.end, size, True) - found.end
    if left and seconds and left / (found.end - start) * seconds > TOLERANCE_S:
        raise AudioFileError(
            f"{path}: damaged or truncated: {left} bytes after {seconds:.2f} s are not a WavPack block"
        )
    return Content(found.end, seconds=seconds)


def _voc(path: str, file: BinaryIO, start: int, size: int) -> Content | None:
    found = voc.sound_blocks(file, size)
    if found is None:
        return None
    n_sound, end = found
    if end > size:
        raise AudioFileError(f"{path}: truncated: it ends at byte {size}, its last block at {end}")
    foreign = "a VOC file of several blocks, whose heads libsndfile would take for sound" if n_sound > 1 else None
    left = last_content(file, end, size, True) - end
    # The byte that says the end may follow, or not.
    return Content(size, ((0, min(size, end + 1)),) if left > 1 else None, foreign=foreign)


def _mpeg(path: str, file: BinaryIO, start: int, end: int, size: int) -> Content | None:
    found = mpeg.runs(file, start, end)
    if not found:
        return None
    seconds = sum(run.seconds for run in found)
    if len({run.form for run in found}) > 1:
        foreign = "an MP3 whose sample rate or channels change, of which libsndfile would read the first part alone"
        return Content(end, seconds=seconds, foreign=foreign)
    stream = mpeg.summary(file, found)
    missing = (stream.n_promised or 0) - stream.n_samples
    if missing > TOLERANCE_S * stream.n_samples / seconds:
        raise AudioFileError(f"{path}: truncated: {stream.n_samples} of {stream.n_promised} samples are there")
    # An ID3v1 tag and the rest of a cut frame are passed over by every decoder, more may not be.
    is_plain = len(found) == 1 and found[0].start == first_content(file) and size - found[0].end <= _PASSED_OVER
    return Content(end, None if is_plain else stream.parts, seconds=seconds, mpeg=stream)


def _find(file: BinaryIO, wanted: bytes, start: int, end: int) -> int | None:
    """Where some bytes are in a part of a file."""
    place = start
    while place < end:
        file.seek(place)
        data = file.read(_SEARCHED + len(wanted))
        found = data.find(wanted)
        if found >= 0:
            return place + found
        place += _SEARCHED
    return None


_BY_MAGIC: dict[bytes, Callable[[str, BinaryIO, int, int], Content | None]] = {
    b"fLaC": _flac,
    b"OggS": _ogg,
    b"wvpk": _wavpack,
    b"Creative Voice File\x1a": _voc,
}
