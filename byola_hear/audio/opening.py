"""Audio files are opened in libsndfile or, if that can't read all of their audio, in ffmpeg."""

from __future__ import annotations

import io
import os
import stat
from functools import partial

from byola_hear.audio import ffmpeg
from byola_hear.audio.chained import ChainedSource, opened_in_turn
from byola_hear.audio.ffmpeg import FfmpegSource
from byola_hear.audio.formats.content import Content, content, content_of
from byola_hear.audio.libsndfile import SoundFileSource, UnknownFormat
from byola_hear.audio.source import AudioFileError, Source


def open_source(path: str) -> Source:
    """Open an audio file to read its channels at its own rate.

    Args:
        path: an audio file. Anything but a regular file is refused without opening it.

    Returns:
        The file, for the caller to close.

    Raises:
        AudioFileError: if it can't be read, or not completely.
        FileNotFoundError: if there is no such file.
    """
    _check_regular(path)
    found = content_of(path)
    try:
        return _in_libsndfile(path, found)
    except UnknownFormat as error:
        if found.is_changed:
            # ffmpeg would trust the header.
            raise AudioFileError(
                f"{path}: can't be read: its header counts too few samples, and libsndfile does not know the codec "
                f"({error.reason})"
            ) from error
        if not ffmpeg.available():
            raise AudioFileError(
                f"{path}: not an audio file that can be read ({error.reason}; with the program ffmpeg on PATH, "
                "more formats can)"
            ) from error
        try:
            return FfmpegSource(path, found)
        except AudioFileError as second:
            if not error.is_recognised:
                raise
            raise AudioFileError(f"{second}; libsndfile: {error.reason}") from second


def open_bytes(name: str, data: bytes) -> Source:
    """Open an audio file that is in memory, in libsndfile.

    Args:
        name: the name used in messages.
        data: its bytes.

    Returns:
        The file, for the caller to close.

    Raises:
        AudioFileError: if it can't be read, or not completely.
    """
    return _in_libsndfile(name, content(name, io.BytesIO(data)), data)


def _in_libsndfile(path: str, found: Content, data: bytes | None = None) -> Source:
    if not found.links:
        return SoundFileSource(path, found, data)
    links = [Content(found.end, parts=parts) for parts in found.links]
    sources = opened_in_turn([partial(SoundFileSource, path, link, data) for link in links])
    if len({(source.sample_rate, source.channels) for source in sources}) == 1 and all(
        source.frames for source in sources
    ):
        return ChainedSource(sources)
    for source in sources:
        source.close()
    raise UnknownFormat(path, "Ogg streams one after the other whose sample rates or channels differ")


def _check_regular(path: str) -> None:
    """Refuse everything but regular files: reading from a pipe or a device may never end."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.path.islink(path):
            raise FileNotFoundError(f"no such audio file: {path} is a link to something that is not there") from error
        raise FileNotFoundError(f"no such audio file: {path}") from error
    except (OSError, ValueError) as error:
        raise AudioFileError(f"{path}: can't be opened ({getattr(error, 'strerror', None) or error})") from error
    if stat.S_ISDIR(status.st_mode):
        raise AudioFileError(f"{path}: expected an audio file, got a folder")
    if not stat.S_ISREG(status.st_mode):
        raise AudioFileError(f"{path}: expected an audio file, got a {_kind(status.st_mode)}")
    if status.st_size == 0:
        raise AudioFileError(f"{path}: the file is empty")


def _kind(mode: int) -> str:
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
