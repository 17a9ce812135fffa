"""Files that libsndfile reads: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others.

libsndfile trusts a header that counts too few samples, fails if it is asked for more samples than there are, and
estimates the length of many MP3s. It therefore reads the parts of a file that
:mod:`~byola_hear.audio.formats.content` has found, is never asked for more samples than these contain, and its output
is counted.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.formats.content import Content
from byola_hear.audio.formats.mpeg import Summary
from byola_hear.audio.source import TOLERANCE_S, AudioFileError, piece_frames, skipped
from byola_hear.audio.spliced import Part, Spliced

#: Lines of libsndfile's log with the length in the headers of rare formats, which libsndfile itself ignores.
_COUNTED = {
    **dict.fromkeys(("AVR", "MPC2K"), re.compile(r"^ *Frames +: (\d+)$", re.MULTILINE)),
    **dict.fromkeys(("MAT4", "MAT5"), re.compile(r"\bCols +: (\d+)$", re.MULTILINE)),
    "WVE": re.compile(r"^Data length (\d+) should be", re.MULTILINE),
    "SDS": re.compile(r"^Frames +: (\d+)$", re.MULTILINE),
}
#: libsndfile's number of samples for an unknown length.
FRAMES_UNKNOWN = 2**62
#: Formats that do not state a number of samples and may be cut at any place.
_CUT_ANYWHERE = frozenset(("OGG", "MP3", "MPEG"))
#: Codecs whose seek is exact, found by comparing hundreds of positions with the whole file; Opus some seconds later.
#: MP3 is not among them.
_SEEKABLE = frozenset(
    (
        *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS"),
        *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "IMA_ADPCM", "MS_ADPCM"),
    )
)
#: Formats whose seek is not exact near the end, with any codec.
_UNSEEKABLE_FORMATS = frozenset(("SDS", "PAF"))
#: The seek into the last page of an Ogg Vorbis file is not exact; no page is longer than this, s.
_OGG_LAST_PAGE_S = 30.0
#: An Opus decoder needs what comes before a sample, more of it at low bit rates. With 1 s, one segment in seven was not
#: exact at 12 kbit/s; with 2 s, none was.
_OPUS_MEMORY_S = 5.0
#: Bytes after the last sample that do not count as audio: a comment, or in FLAC what libsndfile has not yet read.
_LARGEST_REST, _LARGEST_FLAC_REST = 1 << 12, 1 << 16
#: libsndfile's error numbers for formats that it does not know: unrecognised, no MPEG frames.
_NOT_RECOGNISED = frozenset((1, 7))
_NO_MPEG_FRAMES = 7


class UnknownFormat(AudioFileError):
    """A file that libsndfile can't read, or can't read completely.

    Args:
        path: the file.
        reason: why.
        is_recognised: whether libsndfile knows the format.
    """

    def __init__(self, path: str, reason: str, is_recognised: bool = True) -> None:
        super().__init__(f"{path}: not an audio file that can be read ({reason})")
        self.reason = reason
        self.is_recognised = is_recognised


class _Sequential(soundfile.SoundFile):
    """A file that is read to its end without seeking.

    soundfile seeks to the current position after every read of a seekable file. libsndfile's MP3 decoder then loses its
    state and gives some tens of milliseconds of silence.
    """

    def seekable(self) -> bool:
        return False


class SoundFileSource:
    """A file open in libsndfile; see :class:`~byola_hear.audio.source.Source`.

    Args:
        path: a regular file, or the name of a file in memory.
        content: its structure.
        data: the bytes of a file in memory; None for a file on disk.

    Raises:
        UnknownFormat: if libsndfile can't open the file, or would not read all of it.
        AudioFileError: if the file is truncated or can't be opened.
    """

    def __init__(self, path: str, content: Content, data: bytes | None = None) -> None:
        self.path = path
        if content.foreign is not None:
            raise UnknownFormat(path, content.foreign)
        self._content, self._data = content, data
        self._view: Spliced | None = None
        self._descriptor: int | None = None
        self._file = self._opened(content.parts)
        header_samples = self._corrected(content.mpeg) if content.mpeg is not None else None
        self.container, self.codec = self._file.format.removesuffix("EX"), self._file.subtype
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        known = self._file.frames if self._file.frames < FRAMES_UNKNOWN else None
        if known is not None and content.mpeg is not None and not content.mpeg.n_promised:
            # An estimate from the first frame, which may be wrong; what is there was counted.
            if content.mpeg.n_samples - known > TOLERANCE_S * self.sample_rate:
                self.close()
                raise UnknownFormat(path, "an MP2 of which libsndfile reads only a part")
            known = min(known, content.mpeg.n_samples)
        self.frames = known if content.frames is None else content.frames
        self.header_seconds = content.header_seconds if content.is_changed else None
        if not (content.is_changed or content.is_streamed) and self.frames is not None:
            self.header_seconds = (header_samples or self.frames) / self.sample_rate
        self.position = self._to_skip = 0
        if self.container in _COUNTED:
            self._take_count(_COUNTED[self.container])

    def _corrected(self, mpeg: Summary) -> int | None:
        """Make libsndfile read all frames of an MP3.

        Returns:
            The number of samples that the file states, if it contains more; None otherwise.
        """
        promised = mpeg.n_promised if mpeg.n_promised and mpeg.n_samples > mpeg.n_promised else None
        # If no frame states the length, libsndfile estimates it and stops there.
        if mpeg.n_samples > self._file.frames and (promised or not mpeg.n_promised):
            self.close()
            self._file = self._opened((mpeg.counting_frame, *mpeg.parts))
        return promised

    def _take_count(self, pattern: re.Pattern[str]) -> None:
        """Compare the length of a file with its header, which libsndfile has read but does not apply."""
        stated = pattern.findall(self._file.extra_info)
        if not stated or self.frames is None:
            return
        # In a MIDI sample dump, the number in the log is that of the packets in the file.
        there, said = (int(stated[-1]), self.frames) if self.container == "SDS" else (self.frames, int(stated[-1]))
        if there < said:
            self.close()
            raise AudioFileError(f"{self.path}: truncated: {there} of {said} samples are there")
        self.frames = said

    def _opened(self, parts: tuple[Part, ...] | None) -> _Sequential:
        """Open the file, or a view of parts of it."""
        try:
            if parts is not None or self._data is not None:
                stored = open(self.path, "rb") if self._data is None else io.BytesIO(self._data)  # noqa: SIM115
                self._view = Spliced(stored, parts or [(0, len(self._data or b""))])
                return _Sequential(self._view)
            # A descriptor works for names that are not text, and shows how far the decoder has read.
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
        """Continue at a sample: by seeking if that is exact, otherwise by decoding and dropping."""
        target = frame
        if self.container == "OGG":
            last_page = round(_OGG_LAST_PAGE_S * self.sample_rate)
            target = min(frame, 0 if self.frames is None else max(0, self.frames - last_page))
        if self.codec == "OPUS":
            target = max(0, target - round(_OPUS_MEMORY_S * self.sample_rate))
        is_exact = self.codec in _SEEKABLE and self.container not in _UNSEEKABLE_FORMATS and self._content.is_seekable
        if is_exact and target > 0:
            if self.frames is not None:
                target = min(target, self.frames)
            try:
                self._file.seek(target)
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise AudioFileError(
                    f"{self.path}: damaged or truncated: can't seek to {target / self.sample_rate:.2f} s "
                    f"({_reason(error)})"
                ) from error
            self.position = target
        self._to_skip = frame - self.position

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The remaining samples, ``(n_samples, channels)`` each."""
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
            # If libsndfile is asked for more samples than there are, it reads what follows them.
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
        """Compare what was read with the header, and with what is left in the file."""
        tolerance = TOLERANCE_S * self.sample_rate if self.container in _CUT_ANYWHERE else 0
        if self.frames is not None and self.position < self.frames - tolerance:
            raise AudioFileError(f"{self.path}: truncated: {self.position} of {self.frames} samples are there")
        if self._descriptor is None or (self._content.is_checked and self.container != "FLAC"):
            return
        left = self._content.end - os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if self.frames is not None and left > (_LARGEST_FLAC_REST if self.container == "FLAC" else _LARGEST_REST):
            raise AudioFileError(
                f"{self.path}: contains more audio than its header states: {left} bytes follow {self.frames} samples"
            )


def _reason(error: Exception) -> str:
    """libsndfile's message, without the path, with which our message begins."""
    words = str(getattr(error, "error_string", error)).strip().rstrip(".").removeprefix("Error : ")
    return words or type(error).__name__
