"""Files that libsndfile reads: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others.

libsndfile believes a header that counts too few samples, asks for more than a header counts where it is asked to, and
estimates the length of many MP3s. So it is shown files as :mod:`~byola_hear.audio.content` found them to be, asked for
the samples that are there and no more, and what it gives is counted.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.content import Content
from byola_hear.audio.source import TOLERANCE_S, AudioFileError, piece_frames, skipped
from byola_hear.audio.spliced import Part, Spliced

#: What libsndfile says of the length in the headers of rare formats, in which it then believes the file's length.
_COUNTED = {
    **dict.fromkeys(("AVR", "MPC2K"), re.compile(r"^ *Frames +: (\d+)$", re.MULTILINE)),
    **dict.fromkeys(("MAT4", "MAT5"), re.compile(r"\bCols +: (\d+)$", re.MULTILINE)),
    "WVE": re.compile(r"^Data length (\d+) should be", re.MULTILINE),
    "SDS": re.compile(r"^Frames +: (\d+)$", re.MULTILINE),
}
#: A number of samples that no file has: libsndfile's way to say that it does not know.
FRAMES_UNKNOWN = 2**62
#: Formats without a number of samples in a header, so that some may be missing at the end.
_CUT_ANYWHERE = frozenset(("OGG", "MP3", "MPEG"))
#: Codecs with an exact seek, found by comparing hundreds of places with the whole file. MP3 has none.
_SEEKABLE = frozenset(
    (
        *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS"),
        *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "IMA_ADPCM", "MS_ADPCM"),
    )
)
#: Formats whose blocks spoil the seek near the end, whatever the codec.
_UNSEEKABLE_FORMATS = frozenset(("SDS", "PAF"))
#: The seek into the last page of an Ogg Vorbis file is not exact; a page is no longer than this, s.
_OGG_LAST_PAGE_S = 30.0
#: Bytes after the last sample that are no more audio: a remark, or in FLAC what was not asked for yet.
_LARGEST_REST, _LARGEST_FLAC_REST = 1 << 12, 1 << 16
#: libsndfile's error numbers for formats that it does not know: unrecognised, no MPEG frames.
_NOT_RECOGNISED = frozenset((1, 7))
_NO_MPEG_FRAMES = 7


class UnknownFormat(AudioFileError):
    """A file that libsndfile does not read, or not all of.

    Args:
        path: the file.
        reason: why.
        is_recognised: whether its format is one that libsndfile knows.
    """

    def __init__(self, path: str, reason: str, is_recognised: bool = True) -> None:
        super().__init__(f"{path}: not an audio file that can be read ({reason})")
        self.reason = reason
        self.is_recognised = is_recognised


class _Sequential(soundfile.SoundFile):
    """A file read from some place to its end.

    soundfile seeks after every read of a seekable file, to where it is anyway, and libsndfile's MP3 decoder,
    having lost what came before, then gives some tens of milliseconds of silence.
    """

    def seekable(self) -> bool:
        return False


class SoundFileSource:
    """A file open in libsndfile; see :class:`~byola_hear.audio.source.Source`.

    Args:
        path: a regular file, or the name of what is in memory.
        content: what is in it.
        data: the file's bytes where they are in memory, None where they are on disk.

    Raises:
        UnknownFormat: if libsndfile can't open it, or would not read all of it.
        AudioFileError: if it is truncated by what its header says, or may not be read.
    """

    def __init__(self, path: str, content: Content, data: bytes | None = None) -> None:
        self.path = path
        if content.foreign is not None:
            raise UnknownFormat(path, content.foreign)
        self._content, self._data = content, data
        self._view: Spliced | None = None
        self._descriptor: int | None = None
        self._file = self._opened(content.parts)
        if content.mpeg is not None:
            counted, promised = content.mpeg.n_samples, content.mpeg.n_promised
            # Without a frame that counts the others libsndfile estimates the length and stops there.
            if counted > self._file.frames and (not promised or counted > promised):
                self.close()
                self._file = self._opened((content.mpeg.counting_frame, *content.mpeg.parts))
        self.container = "WAV" if self._file.format == "WAVEX" else self._file.format
        self.codec = self._file.subtype
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        known = self._file.frames if self._file.frames < FRAMES_UNKNOWN else None
        self.frames = known if content.frames is None else content.frames
        self.header_seconds = None if self.frames is None else self.frames / self.sample_rate
        self.position = self._to_skip = 0
        stated = _COUNTED[self.container].findall(self._file.extra_info) if self.container in _COUNTED else ()
        if stated and self.frames is not None:
            # The other way round in a Midi sample dump: the number here is that of the packets that are there.
            there, said = (int(stated[-1]), self.frames) if self.container == "SDS" else (self.frames, int(stated[-1]))
            if there < said:
                self.close()
                raise AudioFileError(f"{path}: truncated: {there} of {said} samples are there")
            self.frames = said

    def _opened(self, parts: tuple[Part, ...] | None) -> _Sequential:
        """The file, or the parts of it that are to be seen."""
        try:
            if parts is not None or self._data is not None:
                stored = open(self.path, "rb") if self._data is None else io.BytesIO(self._data)  # noqa: SIM115
                self._view = Spliced(stored, parts or [(0, len(self._data or b""))])
                return _Sequential(self._view)
            # By a descriptor, as names need not be text, and to see how far the decoder has read.
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            return _Sequential(self._descriptor, closefd=False)
        except soundfile.SoundFileError as error:
            self._close_stored()
            code = getattr(error, "code", None)
            reason = "no MPEG audio in it" if code == _NO_MPEG_FRAMES else _reason(error)
            raise UnknownFormat(self.path, reason, code not in _NOT_RECOGNISED) from error
        except OSError as error:
            self._close_stored()
            raise AudioFileError(f"{self.path}: can't be opened ({error.strerror or error})") from error

    def skip_to(self, frame: int) -> None:
        """Go on at a sample: by seeking where that is exact, else by decoding and dropping."""
        target = frame
        if self.container == "OGG":
            last_page = round(_OGG_LAST_PAGE_S * self.sample_rate)
            target = min(frame, 0 if self.frames is None else max(0, self.frames - last_page))
        if self.codec in _SEEKABLE and self.container not in _UNSEEKABLE_FORMATS and target > 0:
            if self.frames is not None:
                target = min(target, self.frames)
            try:
                self._file.seek(target)
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise AudioFileError(
                    f"{self.path}: damaged or truncated: nothing can be found at {target / self.sample_rate:.2f} s "
                    f"({_reason(error)})"
                ) from error
            self.position = target
        self._to_skip = frame - self.position

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The rest of the file, ``(n_samples, channels)`` each."""
        decoded = self._decoded()
        return skipped(decoded, self._to_skip) if self._to_skip else decoded

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._close_stored()

    def _close_stored(self) -> None:
        if self._view is not None:
            self._view.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._view = self._descriptor = None

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        size = piece_frames(self.channels)
        while self.frames is None or self.position < self.frames:
            # Never more than there are: asked for those, libsndfile goes on into what follows.
            n_wanted = size if self.frames is None else min(size, self.frames - self.position)
            try:
                samples = self._file.read(n_wanted, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise AudioFileError(
                    f"{self.path}: damaged or truncated: decoding fails after "
                    f"{self.position / self.sample_rate:.2f} s ({_reason(error)})"
                ) from error
            if not len(samples):
                break
            self.position += len(samples)
            yield samples
        self._check_end()

    def _check_end(self) -> None:
        """Compare what was read with what the file says, and with what is left in it."""
        tolerance = TOLERANCE_S * self.sample_rate if self.container in _CUT_ANYWHERE else 0
        if self.frames is not None and self.position < self.frames - tolerance:
            raise AudioFileError(f"{self.path}: truncated: {self.position} of {self.frames} samples are there")
        if self._descriptor is None or (self._content.is_checked and self.container != "FLAC"):
            return
        left = self._content.end - os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if self.frames is not None and left > (_LARGEST_FLAC_REST if self.container == "FLAC" else _LARGEST_REST):
            raise AudioFileError(
                f"{self.path}: holds more audio than its header says: {left} bytes follow the {self.frames} samples"
            )


def _reason(error: Exception) -> str:
    """libsndfile's own words, without the path that the message begins with already."""
    words = str(getattr(error, "error_string", error)).strip().rstrip(".").removeprefix("Error : ")
    return words or type(error).__name__
