"""Files that libsndfile reads: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and others.

A file that is shorter than its header promises is refused, not quietly read in part. Ogg and MP3 are made to
be cut anywhere, so of those what is there is read. An MP3 of variable bit rate without its length, or one with others
appended, would be read in part, for libsndfile stops at the length that it assumes; such a file is refused, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.mpeg import counted_samples
from byola_hear.audio.source import AudioFileError, piece_frames, skipped

#: libsndfile's remark on a chunk that is longer in its header than in the file.
_SHORTER_THAN_PROMISED = re.compile(r"\b(?:data|SSND|Data Size|Riff size|riff) *: (\d+) \(should be (\d+)\)")
#: From here on a length in a header means "not known", as programs write that stream into a pipe.
_LENGTH_UNKNOWN = 0x7FF00000
#: A number of samples that no file has: libsndfile's way to say the same.
FRAMES_UNKNOWN = 2**62
#: Formats of which the end may be missing.
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
#: Encoders' delay, padding and the frame of the header, of an MP3's frames, s at most.
_MP3_DELAY_S = 0.5
#: libsndfile's error numbers for what is of a format or codec that it does not know, which others may know:
#: unrecognised, unsupported encoding, no MPEG frames, unimplemented, an Ogg codec, unusual FLAC.
_UNKNOWN_FORMAT = frozenset((1, 4, 7, 18, 29, 161))
_NO_MPEG_FRAMES = 7


class UnknownFormat(AudioFileError):
    """A file of a format that libsndfile does not read.

    Args:
        path: the file.
        reason: libsndfile's.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: not an audio file that can be read ({reason})")
        self.reason = reason


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
        path: a regular file.

    Raises:
        UnknownFormat: if libsndfile knows nothing of the kind.
        AudioFileError: if it is damaged, truncated by what its header says, or may not be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # The name in the system's own bytes, which need not be text.
            self._file = _Sequential(path if os.name == "nt" else os.fsencode(path))
        except TypeError as error:
            # What soundfile says to headerless formats, which need a rate that nobody knows.
            raise AudioFileError(f"{path}: not an audio file that can be read (it has no header)") from error
        except (soundfile.SoundFileError, OSError) as error:
            if not os.access(path, os.R_OK):
                # Of which libsndfile says no more than "System error".
                raise AudioFileError(f"{path}: can't be opened (permission denied)") from error
            code = getattr(error, "code", None)
            reason = "no MPEG audio in it" if code == _NO_MPEG_FRAMES else _reason(error)
            if code in _UNKNOWN_FORMAT:
                raise UnknownFormat(path, reason) from error
            raise AudioFileError(f"{path}: not an audio file that can be read ({reason})") from error
        self.container, self.codec = self._file.format, self._file.subtype
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        self.frames = self._file.frames if self._file.frames < FRAMES_UNKNOWN else None
        self.header_seconds = None if self.frames is None else self.frames / self.sample_rate
        self.position = self._to_skip = 0
        for promised, present in _SHORTER_THAN_PROMISED.findall(self._file.extra_info):
            if int(present) < int(promised) < _LENGTH_UNKNOWN:
                self.close()
                raise AudioFileError(f"{path}: truncated: {present} of {promised} bytes of audio are there")
        if self.container == "MP3" and self.frames is not None:
            n_samples = counted_samples(path)
            if n_samples > self.frames + _MP3_DELAY_S * self.sample_rate:
                self.close()
                raise UnknownFormat(
                    path,
                    f"an MP3 of about {n_samples / self.sample_rate:.1f} s of which libsndfile would read the first "
                    f"{self.frames / self.sample_rate:.1f} s, as its length is not in it",
                )

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

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        size = piece_frames(self.channels)
        while True:
            try:
                samples = self._file.read(size, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise AudioFileError(
                    f"{self.path}: damaged or truncated: decoding fails after "
                    f"{self.position / self.sample_rate:.2f} s ({_reason(error)})"
                ) from error
            if not len(samples):
                break
            self.position += len(samples)
            yield samples
        if self.frames is not None and self.position < self.frames and self.container not in _CUT_ANYWHERE:
            raise AudioFileError(f"{self.path}: truncated: {self.position} of {self.frames} samples are there")


def _reason(error: Exception) -> str:
    """libsndfile's own words, without the path that the message begins with already."""
    words = str(getattr(error, "error_string", error)).strip().rstrip(".").removeprefix("Error : ")
    return words or type(error).__name__
